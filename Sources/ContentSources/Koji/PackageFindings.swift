import ComposeModel
import Repodata

/// Packages whose files cannot be used, until there are too many of them to go on.
struct PackageFindings: Sendable {
    /// After as many unusable files there is no need to look for more.
    private static let most = 20

    private(set) var unusable: [UnusablePackage] = []
    /// What concerns more than one file: no reason to go on.
    private var stop: ComposeFailure?

    var isHopeless: Bool { stop != nil || unusable.count >= Self.most }

    /// What comes of the rest, once there is no reason to go on, may say no more than that it was canceled.
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

    /// As ``add(_:of:at:)``, for what concerns more than a file.
    mutating func stop(_ failure: ComposeFailure) {
        if !isHopeless { stop = failure }
    }

    /// Throws what was found, if there is anything that cannot be passed over: files that cannot be used can, as long as they are few.
    ///
    /// - Parameter count: Packages whose files were to be read.
    func checkPassable(of count: Int) throws(ComposeFailure) {
        if let stop { throw stop }
        // What may pass by itself is worth another attempt.
        if unusable.count >= min(Self.most, count) || unusable.contains(where: \.failure.isTransient) { try check() }
    }

    /// Throws what was found, if there is anything.
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
            "\(count) package files in Koji cannot be used. Whoever maintains it has to bring them back, or the builds have to be left out"
                + (failures.count >= Self.most
                    ? "; unless this service looks for them in a wrong place, which its administrators know. " : ". ")
                + "The first of them: \(first.message)",
            details: failures.flatMap(\.details), isTransient: failures.allSatisfy(\.isTransient))
    }
}
