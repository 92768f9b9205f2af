import ComposeModel
import Repodata

/// The packages whose files cannot be used. The search for them ends when there are too many.
struct PackageFindings: Sendable {
    /// The number of unusable files after which the search ends.
    private static let most = 20

    private(set) var unusable: [UnusablePackage] = []
    /// A failure that concerns more than one file. It ends the search.
    private var stop: ComposeFailure?

    var isHopeless: Bool { stop != nil || unusable.count >= Self.most }

    /// Adds the problem of a file. After the end of the search it is ignored, because later problems may
    /// only report the cancellation.
    mutating func add(_ problem: HeaderProblem, of package: KojiPackage, at path: String) {
        if isHopeless { return }
        let subject = "The file of the package \(package.nevra) of the build \(package.build) (\(path)) in Koji"
        if case .transfer(let transfer) = problem, let failure = transfer.commonFailure(subject) {
            stop(failure)
            return
        }
        let detail = ComposeFailure.Detail(
            package: "\(package.nevra)", arch: package.nevra.arch, text: "build \(package.build), \(path): \(problem.reason)")
        let code: ComposeFailure.Code = if case .transfer(.overLimit) = problem { .limitExceeded } else { .packageFileUnusable }
        let isTransient = if case .transfer(.truncated(_, _, wasCut: true)) = problem { true } else { false }
        unusable.append(
            UnusablePackage(
                package: package,
                failure: ComposeFailure(code, "\(subject) cannot be used: \(problem.reason).", details: [detail], isTransient: isTransient))
        )
    }

    /// Ends the search because of a failure that concerns more than one file.
    mutating func stop(_ failure: ComposeFailure) {
        if !isHopeless { stop = failure }
    }

    /// Throws the findings if they cannot be ignored. A few unusable files can be ignored.
    func checkPassable(of count: Int) throws(ComposeFailure) {
        if let stop { throw stop }
        // A failure that may pass by itself is worth another attempt.
        if unusable.count >= min(Self.most, count) || unusable.contains(where: \.failure.isTransient) { try check() }
    }

    /// Throws the findings, if there are any.
    func check() throws(ComposeFailure) {
        let failures = unusable.map(\.failure)
        guard let first = failures.first else {
            if let stop { throw stop }
            return
        }
        if failures.count == 1 { throw first }
        let count = failures.count >= Self.most ? "At least \(failures.count)" : "\(failures.count)"
        throw ComposeFailure(
            first.code,
            "\(count) package files in Koji cannot be used. The maintainer of Koji has to bring them back, or the builds have to be left out"
                + (failures.count >= Self.most
                    ? "; unless this service looks for them in a wrong place, which its operator knows. " : ". ")
                + "The first of them: \(first.message)",
            details: failures.flatMap(\.details), isTransient: failures.allSatisfy(\.isTransient))
    }
}
