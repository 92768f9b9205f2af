public import ComposeStore
import Glibc
import NIOPosix
import Synchronization
public import SystemPackage

/// Readiness is whether the process can serve requests now: whether the database answers, has the
/// tables of this version, and the target directories can be written.
public final class Readiness: Sendable {
    /// The time after which a database that does not answer counts as away.
    private static let patience = Duration.seconds(3)

    private let store: ComposeStore
    private let written: [String: FilePath]
    /// Whether a look at the directories is in progress. On a file system that hangs, it does not end.
    private let isLooking = Mutex(false)

    /// - Parameter written: The target directories that this process writes, by their names.
    public init(store: ComposeStore, written: [String: FilePath] = [:]) {
        self.store = store
        self.written = written
    }

    /// Returns what is not ready, as sentences without secrets and paths. It is empty if the process is
    /// ready.
    func problems() async -> [String] {
        async let directories = directoryProblems()
        return await [databaseProblem()].compactMap(\.self) + directories
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

    private func directoryProblems() async -> [String] {
        guard !written.isEmpty else { return [] }
        let mayLook = isLooking.withLock { isLooking in
            defer { isLooking = true }
            return !isLooking
        }
        guard mayLook else { return ["The target directories do not answer."] }
        defer { isLooking.withLock { $0 = false } }
        do {
            return try await NIOThreadPool.singleton.runIfActive { [written] in
                written.sorted { $0.key < $1.key }.filter { access($0.value.string, W_OK | X_OK) != 0 }
                    .map { "The target directory \($0.key) cannot be written." }
            }
        } catch {
            return ["This process is ending."]
        }
    }
}
