import ComposeClient
import ForeignText
import ImageModel

/// Waits for builds until all of them have ended, and shows their progress. On a terminal, one line is
/// redrawn. Elsewhere, each change gets a line. If ``showsLog`` is set, the logs are printed instead.
struct BuildWaiting: Sendable {
    let ids: [Int]
    let client: ComposeClient
    let console: Console
    let showsLog: Bool
    let isQuiet: Bool
    let json: Bool

    /// Waits, prints the outcomes, and ends the command with the exit status of the worst one.
    func outcome(of connection: ConnectionOptions) async throws {
        let builds = try await untilFinal()
        if json, builds.count > 1 {
            try console.out.line(JSONText(builds).text)
        } else {
            for build in builds { try connection.print(build, or: BuildOutcome(build).text) }
        }
        guard builds.allSatisfy({ $0.state == BuildState.done.rawValue }) else { throw CommandFailure(.composeFailed) }
    }

    /// Waits, and returns the builds in the order of their ids in ``ids``.
    func untilFinal() async throws -> [BuildDocument] {
        let line = RedrawnLine(console, isWanted: !showsLog && !isQuiet)
        let builds = try await line.clearing { try await console.unlessInterrupted { try await follow(showing: line) } }
        guard let builds else {
            let list = ids.map(String.init).joined(separator: " ")
            throw CommandFailure(
                .interrupted,
                "no longer waiting, but \(ids.count == 1 ? "build \(list) goes" : "builds \(list) go") on; 'odcs image wait \(list)' picks "
                    + "\(ids.count == 1 ? "it" : "them") up, 'odcs image cancel' cancels one")
        }
        return builds
    }

    /// Follows all builds at once.
    private func follow(showing line: RedrawnLine) async throws -> [BuildDocument] {
        let shown = Shown(waiting: self, line)
        return try await withThrowingTaskGroup(of: (Int, BuildDocument).self) { group in
            for (index, id) in ids.enumerated() { group.addTask { (index, try await follow(id, shown)) } }
            var builds = [BuildDocument?](repeating: nil, count: ids.count)
            for try await (index, build) in group { builds[index] = build }
            return builds.compactMap(\.self)
        }
    }

    private func follow(_ id: Int, _ shown: Shown) async throws -> BuildDocument {
        var latest: BuildDocument?
        for try await event in client.follow(build: id, logs: showsLog || shown.line.isShown, steps: !isQuiet) {
            if case .changed(let build) = event { latest = build }
            try await shown.take(event)
        }
        guard let latest else { throw CancellationError() }
        return latest
    }

    /// The text that is shown, for all builds together.
    private actor Shown {
        private let waiting: BuildWaiting
        let line: RedrawnLine
        private var progress: BuildProgress

        init(waiting: BuildWaiting, _ line: RedrawnLine) {
            self.waiting = waiting
            self.line = line
            progress = BuildProgress(count: waiting.ids.count)
        }

        func take(_ event: BuildEvent) throws {
            let console = waiting.console
            switch event {
            case .changed(let build):
                let lines = progress.take(build)
                if !line.isShown, !waiting.isQuiet { for line in lines { try console.err.line(line) } }
            case .logged(let platform, let text):
                progress.newest = text
                if waiting.showsLog {
                    try (waiting.json ? console.err : console.out).line("[\(platform)] \(text)".printable(keepingLines: true))
                }
            case .logUnreadable(let platform, let error):
                if waiting.showsLog {
                    try console.err.line("odcs: the log of \(platform) cannot be read, waiting on without it: \(error)".printable())
                }
            case .unchanged:
                break
            }
            progress.elapsed = line.elapsed()
            try line.show(progress.text(columns: console.err.columns()))
        }
    }
}

/// The text about a build for the person who asked for it.
struct BuildOutcome {
    let build: BuildDocument

    init(_ build: BuildDocument) {
        self.build = build
    }

    var text: String {
        let name = build.repository.printable()
        switch BuildState(rawValue: build.state) {
        case .done:
            let rows = [
                ["  image", "\(name):\(build.dateTag)"], ["  digest", build.digest?.description ?? "-"],
                ["  platforms", build.steps.compactMap(\.platform).joined(separator: " ")],
            ]
            return "Build \(build.id) of \(name) is done.\n\(Table(rows: rows).text())"
        case .failed: return failed
        case .wait, .building:
            return "Build \(build.id) of \(name) is accepted: \(build.stateName.printable()).\nNext: odcs image wait \(build.id)"
        case .removed, nil: return "Build \(build.id) of \(name): \(build.stateName.printable())"
        }
    }

    private var failed: String {
        let reason = build.stateReason ?? build.failure?.message ?? "no reason was given"
        var lines = ["Build \(build.id) of \(build.repository.printable()) failed: \(reason.printable())"]
        // The last lines of the log of a step that failed. They are indented, so that none looks like a line of
        // this program.
        let log = build.failure?.log ?? build.steps.lazy.compactMap { $0.failure?.log }.first { !$0.isEmpty } ?? []
        lines += log.suffix(10).map { "  \($0.printable())" }
        lines.append("Log: odcs image log \(build.id)")
        return lines.joined(separator: "\n")
    }
}
