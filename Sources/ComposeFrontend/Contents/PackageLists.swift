import ComposeModel
import HTTPTypes
import NIOPosix
import Synchronization

/// The package lists that were asked about last. Reading a list takes about as long as reading its
/// document from the disk.
final class PackageLists: Sendable {
    /// The number of lists to keep. That of a compose of 63,000 packages takes some 10 MB.
    private static let most = 8

    /// The lists in the order of their last use, by the entity tags of their files. The most recently used
    /// one is last.
    private let kept: Mutex<[(tag: String, list: PackageList)]> = Mutex([])
    private let targets: [String: FrontendConfiguration.TargetDirectory]

    init(_ configuration: FrontendConfiguration) { targets = configuration.targets }

    /// Returns the packages of a compose.
    ///
    /// - Throws: ``RequestRejection`` if the compose is not done, has no list, or has no files any more.
    func list(of compose: Compose) async throws -> PackageList {
        guard compose.state == .done else { throw RequestRejection(.notFound, Self.reason(for: compose)) }
        let path = "\(ComposeLayout(id: compose.resultOf).directory)/\(ComposeLayout.lockFile)"
        guard let root = targets[compose.request.targetDir]?.path, let file = try await ServedEntry.open(path, in: root) else {
            throw RequestRejection(
                .notFound,
                "Compose \(compose.id) has no list of packages at this server. Composes of Pungi and of raw configurations have none.")
        }
        if let known = known(file.entityTag) { return known }
        guard let list = try await NIOThreadPool.singleton.runIfActive({ try PackageList(file) }) else {
            throw RequestRejection(
                .notFound,
                "Compose \(compose.id) lists no packages, because \(compose.request.sourceType.name) has made its repositories.")
        }
        keep(list, file.entityTag)
        return list
    }

    private static func reason(for compose: Compose) -> String {
        switch compose.state {
        case .wait, .generating: "Compose \(compose.id) is \(compose.state.name). It has packages when it is done."
        case .failed: "Compose \(compose.id) has failed, so it has no packages. Its state_reason says why."
        case .removed: "The files of compose \(compose.id) are removed. Renew it, and ask about the new compose."
        case .done: "Compose \(compose.id) is done."
        }
    }

    private func known(_ tag: String) -> PackageList? {
        kept.withLock { kept in
            guard let place = kept.firstIndex(where: { $0.tag == tag }) else { return nil }
            let found = kept.remove(at: place)
            kept.append(found)
            return found.list
        }
    }

    private func keep(_ list: PackageList, _ tag: String) {
        kept.withLock { kept in
            // Another request may have read it at the same time.
            kept.removeAll { $0.tag == tag }
            kept.append((tag, list))
            if kept.count > Self.most { kept.removeFirst() }
        }
    }
}
