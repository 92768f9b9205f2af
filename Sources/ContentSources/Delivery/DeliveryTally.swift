import ComposeModel
import Repodata

/// A count of the packages that were delivered, and the reasons why others were not.
struct DeliveryTally: Sendable {
    /// After this number of unusable files, no further ones are looked for.
    private static let mostFindings = 20

    private var methods: [PackageDelivery.Method: Int] = [:]
    private var unusable: [ComposeFailure] = []
    /// A failure that concerns more than one file, so that the delivery cannot go on.
    private var stop: ComposeFailure?

    init(stoppedBy stop: ComposeFailure? = nil) { self.stop = stop }

    var isHopeless: Bool { stop != nil || unusable.count >= Self.mostFindings }

    mutating func add(_ method: PackageDelivery.Method) { methods[method, default: 0] += 1 }

    mutating func add(_ other: DeliveryTally) {
        methods.merge(other.methods, uniquingKeysWith: +)
        unusable += other.unusable
        // The first failure cancels the other work, so a later failure adds no information.
        stop = stop ?? other.stop
    }

    mutating func add(_ problem: TransferProblem, of record: PackageRecord, in repository: PinnedRepository) {
        let subject = "The file of the package \(record.nevra) (\(record.location)) in \(repository.place)"
        if let failure = problem.commonFailure(subject) {
            stop = stop ?? failure
            return
        }
        let detail = ComposeFailure.Detail(
            package: "\(record.nevra)", arch: record.nevra.arch, text: "\(record.location): \(problem.reason)")
        let code: ComposeFailure.Code = if case .overLimit = problem { .limitExceeded } else { .packageFileUnusable }
        let isTransient = if case .truncated(_, _, wasCut: true) = problem { true } else { false }
        unusable.append(
            ComposeFailure(code, "\(subject) cannot be used: \(problem.reason).", details: [detail], isTransient: isTransient))
    }

    /// Returns the number of packages by delivery method. Throws if not all packages were delivered.
    func result(_ repository: PinnedRepository) throws(ComposeFailure) -> [PackageDelivery.Method: Int] {
        // An unusable file explains more than, for example, the cancellation that it caused.
        guard let first = unusable.first else {
            if let stop { throw stop }
            return methods
        }
        if let stop, stop.code == .canceled, unusable.count < Self.mostFindings { throw stop }
        if unusable.count == 1 { throw first }
        let count = unusable.count >= Self.mostFindings ? "At least \(unusable.count)" : "\(unusable.count)"
        throw ComposeFailure(
            first.code,
            "\(count) package files in \(repository.place) cannot be used. "
                + "The repository may have changed since its metadata was made. The first of them: \(first.message)",
            details: unusable.flatMap(\.details), isTransient: unusable.allSatisfy(\.isTransient))
    }
}
