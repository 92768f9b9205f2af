import ComposeStore
import ForeignText
import ImageModel

/// The list of builds.
struct BuildsPage: Sendable {
    let owner: String
    let states: [Choice]
    let rows: [BuildRow]
    let hasRows: Bool
    let pager: Pager

    init(_ query: BuildQuery, _ builds: [Build], _ repositories: [Int: ImageRepository], _ pager: Pager) {
        owner = (query.owners.last ?? "").shown(200)
        states = Choice.of(BuildState.allCases.map { ($0.name, ShownState($0.name).word) }, chosen: query.states.last?.name)
        rows = builds.map { BuildRow($0, repository: repositories[$0.image]?.description ?? "image \($0.image)") }
        hasRows = !rows.isEmpty
        self.pager = pager
    }
}

/// The page of one build: its failure, and its steps with their logs.
struct BuildPage: Sendable {
    struct Failure: Sendable {
        let lines, log: [String]
        let hasLog: Bool
    }

    struct Step: Sendable {
        let name, node, remark: String
        let state: ShownState
        let log: String?
    }

    let id: Int
    let state: ShownState
    let isUnderWay: Bool
    let lead: String?
    let failure: Failure?
    let cancel: PageForm?
    let facts: [Fact]
    let steps: [Step]

    init(_ build: BuildDocument, isFinal: Bool, root: String, cancel: PageForm?) {
        id = build.id
        state = ShownState(build.stateName)
        isUnderWay = !isFinal
        self.cancel = cancel
        let failure = build.failure ?? build.steps.lazy.compactMap(\.failure).first
        self.failure = failure.map { failure in
            Failure(
                lines: failure.message.split(separator: "\n").prefix(40).map { $0.shown(2000) },
                log: failure.log.suffix(50).map { $0.shown(1000) }, hasLog: !failure.log.isEmpty)
        }
        lead = failure == nil ? build.stateReason?.shown(2000) : nil
        var facts = [
            Fact("Image", build.repository.shown(300), link: "\(root)/images/\(build.image)"), Fact("Owner", build.owner.shown(200)),
        ]
        facts += build.composes.prefix(20).map { Fact("Compose", "\($0)", link: "\(root)/compose/\($0)") }
        if let rebuild = build.rebuild { facts.append(Fact("Rebuild", "\(rebuild)", link: "\(root)/rebuilds/\(rebuild)")) }
        if let digest = build.digest { facts.append(Fact("Digest", "\(digest)".shown(80))) }
        facts.append(Fact("Submitted", ShownTime(iso: build.timeSubmitted)))
        if let time = build.timeStarted { facts.append(Fact("Begun", ShownTime(iso: time))) }
        if let time = build.timeDone { facts.append(Fact("Ended", ShownTime(iso: time))) }
        self.facts = facts
        steps = build.steps.map { step in
            Step(
                name: step.platform?.shown(60) ?? "manifest list", node: step.node?.shown(100) ?? "",
                remark: (step.failure?.message ?? step.stateReason ?? "").shown(400), state: ShownState(step.stateName),
                log: step.platform.map { "\(root)/builds/\(build.id)/log?platform=\($0.percentEncoded)" })
        }
    }
}

/// The list of rebuilds.
struct RebuildsPage: Sendable {
    struct Row: Sendable {
        let id, compose: Int
        let state: ShownState
        let reason, owner: String
        let submitted: ShownTime?
    }

    let rows: [Row]
    let hasRows: Bool
    let pager: Pager

    init(_ rebuilds: [RebuildDocument], _ pager: Pager) {
        rows = rebuilds.compactMap { rebuild in
            guard let id = rebuild.id else { return nil }
            return Row(
                id: id, compose: rebuild.compose, state: ShownState(rebuild.stateName ?? ""), reason: Self.reason(rebuild),
                owner: (rebuild.owner ?? "").shown(100), submitted: rebuild.timeSubmitted.map { ShownTime(iso: $0) })
        }
        hasRows = !rows.isEmpty
        self.pager = pager
    }

    /// The advisory and the vulnerabilities.
    static func reason(_ rebuild: RebuildDocument) -> String {
        ([rebuild.advisory].compactMap(\.self) + rebuild.cves.prefix(10)).joined(separator: " ").shown(300)
    }
}

/// The page of one rebuild: its plan, with a row for each image.
struct RebuildPage: Sendable {
    struct Built: Sendable {
        let number: Int
        let state: ShownState
    }

    struct Row: Sendable {
        let image: Int
        let repository, decision, reason: String
        let build: Built?
    }

    private static let mostRows = 300

    let id: Int
    let state: ShownState
    let lead: String?
    let cancel: PageForm?
    let facts: [Fact]
    let caption: String
    let rows: [Row]
    let hasRows: Bool
    /// The sentence in place of rows.
    let noRows: String
    let more: String?

    init(_ rebuild: RebuildDocument, isFinal: Bool, id: Int, root: String, cancel: PageForm?) {
        self.id = id
        noRows = isFinal ? "It concerned no image." : "The plan is not drawn yet, or concerns no image."
        state = ShownState(rebuild.stateName ?? "")
        lead = rebuild.stateReason?.shown(2000)
        self.cancel = cancel
        var facts = [Fact("Compose", "\(rebuild.compose)", link: "\(root)/compose/\(rebuild.compose)")]
        if let owner = rebuild.owner { facts.append(Fact("Owner", owner.shown(200))) }
        let reason = RebuildsPage.reason(rebuild)
        if !reason.isEmpty { facts.append(Fact("Reason", reason)) }
        if let time = rebuild.timeSubmitted { facts.append(Fact("Submitted", ShownTime(iso: time))) }
        if let name = rebuild.canceledBy { facts.append(Fact("Canceled by", name.shown(200))) }
        self.facts = facts
        rows = rebuild.plan.prefix(Self.mostRows).map { row in
            var built: Built?
            if let number = row.build { built = Built(number: number, state: ShownState(row.buildStateName ?? "")) }
            return Row(
                image: row.image, repository: row.repository.shown(200), decision: row.decision.shown(40), reason: row.reason.shown(400),
                build: built)
        }
        hasRows = !rows.isEmpty
        caption = ShownNumber.count(rebuild.plan.count, "image")
        let rest = rebuild.plan.count - rows.count
        more = rest > 0 ? "and \(rest) more, which the API has" : nil
    }
}
