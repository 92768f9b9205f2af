import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import ImageModel
import NIOPosix
import Synchronization

/// The handlers of `/api/1/composes/{id}/why` and `/api/1/diff`: the way by which a package came into a
/// compose, and the difference between two composes.
struct PackageController: Sendable {
    private let composes: ComposeController
    private let lists: PackageLists
    /// A comparison reads all packages of two composes, so few are made at the same time.
    private let comparisons = Comparisons()

    init(composes: ComposeController, lists: PackageLists) {
        self.composes = composes
        self.lists = lists
    }

    var resources: [Resource] {
        [
            Resource("/api/1/composes/{id}/why", [.get: .open(why)]),
            Resource("/api/1/diff", [.get: .open(difference)]),
        ]
    }

    private func why(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let compose = try await composes.compose(try context.composeID(), for: context.subject.sender)
        let items = try QueryItems(request.uri.query).items
        guard let name = items.last(where: { $0.key == "package" && !$0.value.isEmpty })?.value else {
            throw RequestRejection.badRequest("package is missing. It must be the name of a package, such as openssl-libs.")
        }
        let list = try await lists.list(of: compose)
        let packages = try await NIOThreadPool.singleton.runIfActive {
            let packages = try list.origins(ofPackagesNamed: name)
            guard !packages.isEmpty else { throw RequestRejection(.notFound, Self.absence(of: name, from: list, compose.id)) }
            return packages
        }
        return try .json(ComposeWhyDocument(compose: compose.id, name: name, packages: packages))
    }

    private static func absence(of name: String, from list: PackageList, _ compose: Int) -> String {
        let most = min(3, name.count / 2)
        let similar = list.names.filter { $0.utf8.first == name.utf8.first && abs($0.utf8.count - name.utf8.count) <= most }
        let nearest = NearestNames(names: similar.sorted()).nearest(to: name, within: most)
        let hint = nearest.map { " The nearest name is \($0.quoted)." } ?? ""
        return "Compose \(compose) has no package \(name.quoted) among its \(list.count).\(hint)"
    }

    private func difference(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let items = try QueryItems(request.uri.query).items
        func compose(_ key: String) async throws -> Compose {
            guard let text = items.last(where: { $0.key == key && !$0.value.isEmpty })?.value else {
                throw RequestRejection.badRequest("\(key) is missing. It must be the number of a compose, as in from=7&to=9.")
            }
            return try await composes.compose(try QueryItems.number(text, key, from: 1), for: context.subject.sender)
        }
        let (first, second) = (try await compose("from"), try await compose("to"))
        guard let place = comparisons.place() else {
            throw RequestRejection(
                .serviceUnavailable, "Other composes are being compared. Try again in a moment.", headers: [.retryAfter: "2"])
        }
        defer { withExtendedLifetime(place) {} }
        let (from, to) = (try await lists.list(of: first), try await lists.list(of: second))
        let document = try await NIOThreadPool.singleton.runIfActive {
            let difference = PackageListDifference(from: from, to: to)
            return ComposeDifferenceDocument(
                from: first.id, to: second.id, pins: difference.pins, isOtherRequest: difference.isOtherRequest,
                trees: try difference.trees())
        }
        return try .json(document)
    }
}

/// The comparisons that are being made.
private final class Comparisons: Sendable {
    private static let most = 1

    private let count = Mutex(0)

    /// The right to make a comparison. It ends with the last reference.
    final class Place: Sendable {
        private let comparisons: Comparisons

        fileprivate init(_ comparisons: Comparisons) { self.comparisons = comparisons }

        deinit { comparisons.count.withLock { $0 -= 1 } }
    }

    /// Returns `nil` if too many comparisons are being made.
    func place() -> Place? {
        let isFree = count.withLock { count in
            guard count < Self.most else { return false }
            count += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
