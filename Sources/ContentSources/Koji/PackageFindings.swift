import ComposeModel
import Repodata

/// Packages whose files cannot be used, until there are too many of them to go on.
struct PackageFindings: Sendable {
    /// After as many unusable files there is no need to look for more.
    private static let most = 20

    private var unusable: [ComposeFailure] = []
    /// What concerns more than one file: no reason to go on.
    private var stop: ComposeFailure?

    var isHopeless: Bool { stop != nil || unusable.count >= Self.most }

    mutating func add(_ problem: HeaderProblem, of package: KojiPackage, at path: String) {
        let subject = "The file of the package \(package.nevra) of the build \(package.build) (\(path)) in Koji"
        if case .transfer(let transfer) = problem, let failure = transfer.commonFailure(subject) {
            stop(failure)
            return
        }
        let detail = ComposeFailure.Detail(
            package: "\(package.nevra)", arch: package.nevra.arch, text: "build \(package.build), \(path): \(problem.reason)")
        let code: ComposeFailure.Code = if case .transfer(.overLimit) = problem { .limitExceeded } else { .packageFileUnusable }
        let isTransient = if case .transfer(.truncated(_, _, wasCut: true)) = problem { true } else { false }
        unusable.append(ComposeFailure(code, "\(subject) cannot be used: \(problem.reason).", details: [detail], isTransient: isTransient))
    }

    /// Once others were canceled because of the first failure, theirs says nothing.
    mutating func stop(_ failure: ComposeFailure) { stop = stop ?? failure }

    /// Throws what was found, if there is anything.
    func check() throws(ComposeFailure) {
        guard let first = unusable.first else {
            if let stop { throw stop }
            return
        }
        if unusable.count == 1 { throw first }
        let count = unusable.count >= Self.most ? "At least \(unusable.count)" : "\(unusable.count)"
        throw ComposeFailure(
            first.code,
            "\(count) package files in Koji cannot be used. Whoever maintains it has to bring them back, or the builds have to be left out. "
                + "The first of them: \(first.message)",
            details: unusable.flatMap(\.details), isTransient: unusable.allSatisfy(\.isTransient))
    }
}
