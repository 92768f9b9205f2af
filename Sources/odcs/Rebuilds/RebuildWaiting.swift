import ComposeClient
import ForeignText
import ImageModel

/// Waits for a rebuild: first for its plan, if its compose is not done yet, and then for its builds.
struct RebuildWaiting: Sendable {
    let id: Int
    let client: ComposeClient
    let console: Console
    let isQuiet: Bool
    let json: Bool

    /// The time between two looks at a rebuild that has no plan yet.
    private static let pause = Duration.seconds(2)

    /// Returns the rebuild and its builds when all of them have ended.
    func untilFinal(_ rebuild: RebuildDocument) async throws -> (RebuildDocument, [BuildDocument]) {
        let planned = try await untilPlanned(rebuild)
        let ids = planned.buildIDs
        guard !ids.isEmpty else { return (planned, []) }
        let builds = try await BuildWaiting(
            ids: ids, client: client, console: console, showsLog: false, isQuiet: isQuiet, json: json
        ).untilFinal()
        return (try await client.rebuild(id), builds)
    }

    private func untilPlanned(_ rebuild: RebuildDocument) async throws -> RebuildDocument {
        guard rebuild.state == BuildState.wait.rawValue else { return rebuild }
        let planned = try await console.unlessInterrupted {
            var rebuild = rebuild
            while rebuild.state == BuildState.wait.rawValue {
                try await console.clock.sleep(for: Self.pause)
                rebuild = try await client.rebuild(id)
            }
            return rebuild
        }
        guard let planned else {
            throw CommandFailure(.interrupted, "no longer waiting, but rebuild \(id) goes on; 'odcs rebuilds \(id)' shows it")
        }
        if !isQuiet, !json { try console.err.line(RebuildText(planned).plan.printable(keepingLines: true)) }
        return planned
    }
}
