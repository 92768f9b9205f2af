public import ComposeStore
public import Foundation
import Glibc
import NIOPosix
import Synchronization
public import SystemPackage

/// Readiness is whether the process can serve requests now: whether the database answers, has the
/// tables of this version, and the target directories can be written and are those of the service.
public final class Readiness: Sendable {
    /// The time after which a database that does not answer counts as away.
    private static let patience = Duration.seconds(3)

    private let store: ComposeStore
    private let written: [String: FilePath]
    private let marker: (@Sendable (FilePath) throws -> UUID?)?
    /// Whether a look at the directories is in progress. On a file system that hangs, it does not end.
    private let isLooking = Mutex(false)

    /// - Parameters:
    ///   - written: The target directories that this process writes, by their names.
    ///   - marker: Returns the id that is written in a target directory. It may take the time of a disk.
    ///     If it is `nil`, the ids are not compared.
    public init(store: ComposeStore, written: [String: FilePath] = [:], marker: (@Sendable (FilePath) throws -> UUID?)? = nil) {
        self.store = store
        self.written = written
        self.marker = marker
    }

    /// Returns what is not ready, as sentences without secrets and paths. It is empty if the process is
    /// ready.
    func problems() async -> [String] {
        let database = await databaseProblem()
        var identities: [String: UUID] = [:]
        if database == nil {
            // The directories are looked at without the ids too, so an error is no problem of its own.
            for name in written.keys { identities[name] = try? await store.identity(ofTarget: name) }
        }
        return await [database].compactMap(\.self) + directoryProblems(identities)
    }

    private func databaseProblem() async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { [store] in
                do {
                    return try await store.hasSchema() ? nil : "The tables of the database are older than this server."
                } catch {
                    // The log of the service has the error. It can have the address of the database.
                    return "The database does not answer."
                }
            }
            group.addTask {
                // The error of a sleep says that the database has answered.
                try? await Task.sleep(for: Self.patience)
                return "The database does not answer."
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    /// - Parameter identities: The ids of the target directories of the service, by their names.
    private func directoryProblems(_ identities: [String: UUID]) async -> [String] {
        guard !written.isEmpty else { return [] }
        let mayLook = isLooking.withLock { isLooking in
            defer { isLooking = true }
            return !isLooking
        }
        guard mayLook else { return ["The target directories do not answer."] }
        defer { isLooking.withLock { $0 = false } }
        do {
            return try await NIOThreadPool.singleton.runIfActive { [written, marker] in
                written.sorted { $0.key < $1.key }.compactMap { name, directory in
                    if access(directory.string, W_OK | X_OK) != 0 { return "The target directory \(name) cannot be written." }
                    guard let marker, let identity = identities[name], (try? marker(directory)) != identity else { return nil }
                    return "The target directory \(name) is not the one that this service uses. It may have been unmounted."
                }
            }
        } catch {
            return ["This process is ending."]
        }
    }
}
