import ComposeStore
import ComposeWorker
import Foundation
import Logging
import SystemPackage

/// A target directory check runs at the start of a process. It finds out whether the target directories
/// are the same as those of the other processes of the service.
///
/// A file in each directory has an id that the database has too: see ``TargetMarker``. A worker could
/// otherwise write a compose to a directory that the frontend does not serve. The compose would be
/// done, but no client could get it.
struct TargetDirectoryCheck {
    let store: ComposeStore
    /// Whether this process is the whole service. A directory without composes may then be replaced by
    /// another one.
    let isAlone: Bool
    let logger: Logger

    /// Returns the names of the target directories that are shared with the other processes. Logs the
    /// others, with the remedy.
    func shared(_ targets: [String: ServerConfiguration.Target]) async throws -> Set<String> {
        var shared: Set<String> = []
        for (name, target) in targets.sorted(by: { $0.key < $1.key }) {
            let marker = TargetMarker(in: target.directory)
            do {
                if try await isShared(name, marker) { shared.insert(name) }
            } catch let error where error is CocoaError || error is Errno {
                // A frontend may lack the permission to write there, and does not need it.
                shared.insert(name)
                logger.warning(
                    "could not find out whether a target directory is the one that the rest of the service uses",
                    metadata: ["target": "\(name)", "directory": "\(target.directory)", "error": "\(error)"])
            }
        }
        return shared
    }

    private func isShared(_ name: String, _ marker: TargetMarker) async throws -> Bool {
        guard let known = try await store.identity(ofTarget: name) else {
            let id = try marker.read(orWrite: UUID())
            return try await store.identity(ofTarget: name, orElse: id) == id
        }
        let found = try marker.read()
        if found == known { return true }
        // A directory that is not mounted looks like an empty one. If the service took it over, all composes
        // would count as lost, and their files would be deleted when the directory is there again.
        if isAlone, try await store.results(inTarget: name).isEmpty {
            let id = try marker.read(orWrite: known)
            try await store.setIdentity(ofTarget: name, id)
            logger.notice("a target directory without composes was replaced", metadata: ["target": "\(name)"])
            return true
        }
        logger.error(
            """
            the directory of the target \(name) is not the one that the rest of this service uses, and no compose is written to it. \
            If it is the right one, write the line \(known.uuidString.lowercased()) to the file \(TargetMarker.name) in it; composes \
            without files are removed then. Else mount it, or correct composes.targets.\(name).directory. Then start again.
            """, metadata: ["target": "\(name)", "id": "\(found.map { $0.uuidString.lowercased() } ?? "none")"])
        return false
    }
}
