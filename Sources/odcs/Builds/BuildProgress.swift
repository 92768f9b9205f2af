import ComposeClient
import ForeignText
import ImageModel

/// The progress of builds that a command waits for: as one line for a terminal, or as a line for each
/// change.
struct BuildProgress: Equatable {
    private var builds: [BuildDocument]
    private var count: Int
    /// The time since the waiting began.
    var elapsed: Duration = .zero
    var newest: String?

    /// - Parameter count: The number of builds that are waited for.
    init(count: Int) {
        self.count = count
        builds = []
    }

    /// Takes the present state of a build. Returns a line for each change of a step and of the build.
    mutating func take(_ build: BuildDocument) -> [String] {
        guard let index = builds.firstIndex(where: { $0.id == build.id }) else {
            builds.append(build)
            return Self.changes(from: nil, to: build)
        }
        defer { builds[index] = build }
        return Self.changes(from: builds[index], to: build)
    }

    private static func changes(from old: BuildDocument?, to new: BuildDocument) -> [String] {
        var lines: [String] = []
        for step in new.steps {
            let before = old?.steps.first { $0.id == step.id }
            // A step that waits for its turn only is no news before its first attempt. It has no reason then.
            let waits = step.state == StepState.wait.rawValue
            let isOtherState = before?.stateName != step.stateName && (before != nil || !waits)
            let isOtherReason = waits && step.stateReason != nil && step.stateReason != before?.stateReason
            guard isOtherState || isOtherReason else { continue }
            let reason = step.stateReason.map { ": \($0)" } ?? ""
            lines.append("build \(new.id): \(name(step)) \(step.stateName)\(reason)".printable())
        }
        if old?.stateName != new.stateName {
            let reason = new.state == BuildState.wait.rawValue ? new.stateReason.map { ": \($0)" } : nil
            lines.append("build \(new.id): \(new.stateName)\(reason ?? "")".printable())
        }
        return lines
    }

    private static func name(_ step: StepDocument) -> String { step.platform ?? "manifest list" }

    /// Returns the line, at least one column shorter than `columns`, so that the cursor does not wrap. It
    /// shows the first build that has not ended.
    func text(columns: Int) -> String {
        let seconds = elapsed.components.seconds
        let time = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        let ended = builds.count(where: \.isFinal)
        var words = count > 1 ? ["\(ended) of \(count) builds ended"] : []
        if let build = builds.first(where: { !$0.isFinal }) ?? builds.last {
            let steps = build.steps.map { step in
                let reason = step.state == StepState.wait.rawValue ? step.stateReason : nil
                return "\(Self.name(step)) \(step.stateName)\(reason.map { ": \($0)" } ?? "")"
            }.joined(separator: ", ")
            words.append("build \(build.id) of \(build.repository.split(separator: "/").last ?? ""): \(build.stateName) \(time)  \(steps)")
        }
        if let newest { words.append(newest.replacing("\t", with: " ")) }
        let whole = words.joined(separator: "  ").printable()
        let width = max(columns - 1, 1)
        return whole.count > width ? whole.prefix(width - 1) + "…" : whole
    }
}
