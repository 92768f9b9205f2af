import ComposeModel
import ForeignText
import Foundation

/// The page of one compose. The failure comes first, then the use of the result, and then everything
/// about how it was made.
struct ComposeDetailPage: Sendable {
    let id: Int
    let state: ShownState
    let isUnderWay: Bool
    /// The stream of the compose's changes and log lines, from the log that the page shows on. `nil` if the
    /// compose has ended.
    var events: String?
    /// The state in a sentence, and further facts about it.
    let lead: String?
    let notes: [String]
    let expires: ShownTime?
    let removed: ShownTime?
    let removedBy: String?
    var actions = Actions()
    let failure: Failure?
    var use: Use?
    var packages: PackageTable?
    /// Why the page shows no packages.
    var packagesNote: String?
    var problems: [FindingTable] = []
    let facts: [Fact]
    let words: [String]
    let wordsTitle: String
    let moreWords: String?
    let sources: [Source]
    var log: LogEnd?
    var earlier: ComposeList?

    // Questions of the template about the values above.
    var hasActions = false
    var renew, cancel, remove: PageForm?
    var renewWord = ""
    var again, login: String?
    var hasProblems = false
    let hasWords, fewWords, hasSources: Bool

    /// The actions that the person may take.
    struct Actions: Sendable {
        var renew, cancel, remove: PageForm?
        /// The address of the form that asks for a similar compose.
        var again: String?
        var login: String?
    }

    struct Source: Sendable {
        let source: String
        let pin: String
    }

    /// The reason of a failure, with a table of findings and with advice.
    struct Failure: Sendable {
        let lines: [String]
        /// Further lines, which the table of findings has in another form.
        let moreLines: [String]
        let moreTitle: String?
        let findings: FindingTable?
        let advice: [String]
        let hasAdvice: Bool

        private static let (firstLines, mostLines) = (5, 40)

        init(_ failure: ComposeFailure?, reason: String?) {
            let message = failure?.message ?? reason ?? "The reason was not recorded."
            let all = message.split(separator: "\n").prefix(Self.mostLines).map { $0.shown(2000) }
            lines = Array(all.prefix(Self.firstLines))
            moreLines = Array(all.dropFirst(Self.firstLines))
            moreTitle = moreLines.isEmpty ? nil : ShownNumber.count(moreLines.count, "more line")
            findings = FindingTable(
                "What was found", (failure?.details ?? []).map(FindingTable.Row.init))
            advice = failure.map(Advice.sentences) ?? []
            hasAdvice = !advice.isEmpty
        }
    }

    /// How to use the repositories of a compose.
    struct Use: Sendable {
        let repoFile, repoName, repoLink, files: String
        let dnf, containerfile, once, tmt: String

        /// - Parameter files: The address of the files for people, without a slash at its end.
        init(_ document: ComposeDocument, packages: [String], files: String) {
            repoFile = document.resultRepofile
            let name = String(repoFile.split(separator: "/").last ?? "")
            repoName = name
            self.files = "\(files)/"
            let top = document.toplevelURL
            repoLink = repoFile.hasPrefix("\(top)/") ? files + repoFile.dropFirst(top.count) : repoFile
            // Only plain names become part of a command.
            let plain = packages.prefix(5).filter { $0.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_.+".utf8.contains($0) } }
            let install = plain.isEmpty ? "PACKAGE" : plain.joined(separator: " ")
            dnf = """
                sudo curl -o /etc/yum.repos.d/\(name) \(repoFile)
                sudo dnf install \(install)
                """
            containerfile = """
                ADD \(repoFile) /etc/yum.repos.d/
                RUN dnf -y install \(install) && dnf clean all
                """
            once = "dnf --repofrompath='odcs,\(document.resultRepo)/$basearch/os' --repo=odcs install \(install)"
            tmt = """
                prepare:
                    how: shell
                    script: curl -o /etc/yum.repos.d/\(name) \(repoFile)
                """
        }
    }

    private static let mostWords = 200

    /// - Parameter root: The prefix of links.
    init(_ compose: Compose, _ document: ComposeDocument, queue: QueueDocument?, root: String) {
        id = compose.id
        state = ShownState(compose.state.name)
        isUnderWay = !compose.state.isFinal
        let said = Self.lead(of: compose, queue).split(separator: "\n").prefix(20).map { $0.shown(2000) }
        lead = said.first
        notes = Array(said.dropFirst())
        expires = compose.state == .done || compose.state == .failed ? ShownTime(compose.timeToExpire) : nil
        removed = compose.state == .removed ? ShownTime(compose.timeRemoved ?? compose.timeToExpire) : nil
        removedBy = compose.removedBy?.shown(80)
        failure = compose.state == .failed ? Failure(compose.failure, reason: compose.stateReason) : nil
        facts = Self.facts(compose, root: root)
        let request = compose.request
        let asked = request.packages.isEmpty ? request.builds : request.packages
        words = asked.prefix(Self.mostWords).map { $0.shown(120) }
        wordsTitle = ShownNumber.count(asked.count, request.packages.isEmpty ? "build" : "package") + " asked for"
        moreWords = asked.count > Self.mostWords ? "and \(asked.count - Self.mostWords) more" : nil
        (hasWords, fewWords) = (!asked.isEmpty, asked.count <= 20)
        sources = Self.sources(compose)
        hasSources = !sources.isEmpty
    }

    mutating func set(_ actions: Actions) {
        (renew, cancel, remove) = (actions.renew, actions.cancel, actions.remove)
        (again, login) = (actions.again, actions.login)
        hasActions = renew != nil || cancel != nil || remove != nil || again != nil || login != nil
        renewWord = state.name == "done" ? "Renew" : "Make it again"
    }

    /// Returns what is said about the state, on one line or several.
    private static func lead(of compose: Compose, _ queue: QueueDocument?) -> String {
        switch compose.state {
        case .wait:
            guard let queue else { return compose.stateReason ?? "It waits for a worker." }
            let estimate = queue.estimateSeconds.map { " It is expected to begin in about \(ShownNumber.duration($0))." } ?? ""
            return "\(queue.reason)\(estimate)"
        case .generating:
            if compose.resultOf != compose.id { return "It waits for compose \(compose.resultOf), which makes the same packages." }
            return "A worker is making it."
        case .failed: return ""
        case .done, .removed: return compose.stateReason ?? ""
        }
    }

    private static func facts(_ compose: Compose, root: String) -> [Fact] {
        let request = compose.request
        var facts = [Fact("Owner", compose.owner.shown(200))]
        facts.append(Fact("Source", "\(request.sourceType.name) \(compose.source.shown(1000))"))
        if request.packages.isEmpty, request.builds.isEmpty { facts.append(Fact("Packages", "all of the source")) }
        if !request.packages.isEmpty { facts += [Fact("Builds", words: request.builds)].compactMap(\.self) }
        facts += Fact.further(of: request, arches: compose.arches, sigkeys: compose.sigkeys)
        if let event = compose.kojiEvent { facts.append(Fact("Koji event", "\(event)")) }
        if let watch = compose.watch { facts.append(Fact("Watch", "\(watch)", link: "\(root)/watches/\(watch)")) }
        if compose.resultOf != compose.id, compose.state == .done {
            facts.append(Fact("Shows the result of", "compose \(compose.resultOf)"))
        }
        facts.append(Fact("Submitted", ShownTime(compose.timeSubmitted)))
        if let time = compose.timeStarted { facts.append(Fact("Begun", ShownTime(time))) }
        if let time = compose.timeDone { facts.append(Fact("Ended", ShownTime(time))) }
        if let from = compose.timeStarted, let to = compose.timeDone {
            facts.append(Fact("Duration", ShownNumber.duration(Int(to.timeIntervalSince(from).rounded()))))
        }
        facts.append(Fact("Attempts", "\(compose.attempts)"))
        return facts
    }

    private static func sources(_ compose: Compose) -> [Source] {
        guard let pins = compose.specification?.pins else { return [] }
        var sources = pins.repositories.map { Source(source: $0.location.shown(500), pin: $0.repomd.shown(100)) }
        sources += pins.lookaside.map { Source(source: "\($0.location.shown(500)) (lookaside)", pin: $0.repomd.shown(100)) }
        if let tag = pins.koji?.tag { sources.append(Source(source: "tag \(tag.name.shown(200))", pin: "event \(tag.event)")) }
        if let builds = pins.koji?.builds, !builds.isEmpty {
            sources.append(Source(source: "builds", pin: builds.joined(separator: " ").shown(1000)))
        }
        sources += (pins.modules ?? []).map { Source(source: "module", pin: $0.shown(300)) }
        if let defaults = pins.moduleDefaults { sources.append(Source(source: "module defaults", pin: "\(defaults)".shown(300))) }
        return Array(sources.prefix(100))
    }
}
