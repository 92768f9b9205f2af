import CSolv

/// A *problem rule* is one of the rules that contradict each other in a solve that failed.
struct ProblemRule {
    /// The number of the rule in its solver.
    let number: Id
    let type: SolverRuleinfo
    let source: Id
    let target: Id
    let dependency: Id

    /// Returns the rules of all problems of the last solve. Several problems can have the same rule.
    static func all(of solver: UnsafeMutablePointer<Solver>) -> [ProblemRule] {
        // libsolv numbers problems from 1.
        (1..<Id(solver_problem_count(solver)) + 1).flatMap { problem in
            let numbers = IdQueue()
            solver_findallproblemrules(solver, problem, numbers.pointer)
            return numbers.array.map { number in
                var (source, target, dependency) = (Id(0), Id(0), Id(0))
                let type = solver_ruleinfo(solver, number, &source, &target, &dependency)
                return ProblemRule(number: number, type: type, source: source, target: target, dependency: dependency)
            }
        }
    }
}
