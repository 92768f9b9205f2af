import ForeignText

extension Containerfile {
    /// Returns the variables that FROM sees: the build arguments that ARG declares before it.
    ///
    /// - Parameters:
    ///   - arguments: The values of `--build-arg`.
    ///   - automatic: The values that need no declaration, for example `TARGETARCH`.
    func globalVariables(arguments: [String: String], automatic: [String: String]) throws(ContainerfileProblem) -> Variables {
        var variables = Variables(automatic)
        for instruction in globalArguments { try declare(instruction, in: &variables, arguments: arguments, global: Variables()) }
        return variables
    }

    /// Changes the variables of a stage by an instruction, if it is ARG or ENV.
    func follow(
        _ instruction: Instruction, in variables: inout Variables, arguments: [String: String], global: Variables
    ) throws(ContainerfileProblem) {
        switch instruction.keyword {
        case .arg: try declare(instruction, in: &variables, arguments: arguments, global: global)
        case .env:
            let words = ShellWords.words(of: instruction.arguments, escape: escape)
            // The old form is ENV NAME followed by a text with blanks.
            guard let first = words.first, first.utf8.contains(UInt8(ascii: "=")) else {
                let (name, text) = instruction.arguments.firstWord
                variables.values[name] = try expand(text, of: instruction, variables)
                return
            }
            let before = variables
            for word in words {
                guard let (name, value) = word.halves(at: "=") else {
                    throw ContainerfileProblem(line: instruction.line, "ENV needs NAME=VALUE, not \(word.quoted)")
                }
                variables.values[name] = try expand(value, of: instruction, before)
            }
        default: break
        }
    }

    private func declare(
        _ instruction: Instruction, in variables: inout Variables, arguments: [String: String], global: Variables
    ) throws(ContainerfileProblem) {
        for word in ShellWords.words(of: instruction.arguments, escape: escape) {
            let (name, value) = word.halves(at: "=").map { ($0.before, $0.after) } ?? (word, nil)
            if let given = arguments[name] {
                variables.values[name] = given
            } else if let value {
                variables.values[name] = try expand(value, of: instruction, variables)
            } else if let inherited = global.values[name] {
                variables.values[name] = inherited
            }
        }
    }

    /// Returns a word with its variables replaced. Variables without a value are replaced by nothing.
    func expand(_ word: String, of instruction: Instruction, _ variables: Variables) throws(ContainerfileProblem) -> String {
        try expanded(word, of: instruction, variables).text
    }

    func expanded(
        _ word: String, of instruction: Instruction, _ variables: Variables
    ) throws(ContainerfileProblem) -> Variables.Expanded {
        do {
            return try variables.expand(word, escape: escape)
        } catch {
            throw ContainerfileProblem(line: instruction.line, "\(word.quoted) \(error.reason)")
        }
    }
}
