import ComposeClient
import ForeignText
import ImageModel

/// The text about a rebuild for people.
struct RebuildText {
    let rebuild: RebuildDocument
    private let builds: [Int: BuildDocument]

    init(_ rebuild: RebuildDocument, builds: [BuildDocument] = []) {
        self.rebuild = rebuild
        self.builds = Dictionary(builds.map { ($0.id, $0) }) { first, _ in first }
    }

    /// The plan: a sentence, and the images with parents before their children.
    var plan: String {
        var lines = [head]
        let shown = rebuild.plan.filter { $0.decision != RebuildPlan.Decision.unknown.rawValue }
        if !shown.isEmpty {
            let head = ["  order", "image", "platforms", "has", "because"]
            lines.append(Table(rows: [head] + shown.map(row)).text())
        }
        let unknown = rebuild.plan.filter { $0.decision == RebuildPlan.Decision.unknown.rawValue }
        if !unknown.isEmpty {
            lines.append(
                "The packages of \(unknown.count == 1 ? "1 image" : "\(unknown.count) images") are not known; --unknown builds them:")
            lines += unknown.map { "  \(name($0)): \($0.reason)".printable() }
        }
        if let id = rebuild.id, !rebuild.isFinal { lines.append("Next: odcs rebuilds \(id)") }
        return lines.joined(separator: "\n")
    }

    private var head: String {
        if rebuild.state == BuildState.wait.rawValue {
            return "\(title) waits for compose \(rebuild.compose)."
        }
        if let reason = rebuild.stateReason { return "\(title) failed: \(reason.printable())" }
        var newest: [String] = []
        for finding in rebuild.plan.lazy.flatMap(\.findings) {
            let text = "\(finding.package.name) \(finding.newest)"
            if !newest.contains(text) { newest.append(text) }
        }
        let older = rebuild.plan.count { !$0.findings.isEmpty }
        let known = rebuild.knownImages.map { "\($0 == 1 ? "1 image is" : "\($0) images are") known; " } ?? ""
        let has = newest.isEmpty ? "" : " has \(Self.some(newest))\(cause)"
        let have =
            older == 0 ? "no image has an older package." : older == 1 ? "1 image has an older one." : "\(older) images have an older one."
        guard !has.isEmpty else { return "Compose \(rebuild.compose)\(cause): \(known)\(have)".printable() }
        return "Compose \(rebuild.compose)\(has). \(known)\(have)".printable()
    }

    private var title: String { "Rebuild \(rebuild.id.map(String.init) ?? "")" }
    private var cause: String {
        let causes = [rebuild.advisory].compactMap(\.self) + rebuild.cves
        return causes.isEmpty ? "" : " (\(causes.joined(separator: ", ")))"
    }

    private func row(_ row: RebuildDocument.Row) -> [String] {
        var platforms: [String] = []
        var packages: [String] = []
        for finding in row.findings {
            let platform = finding.platform.hasPrefix("linux/") ? String(finding.platform.dropFirst("linux/".count)) : finding.platform
            if !platforms.contains(platform) { platforms.append(platform) }
            let package = "\(finding.package.name) \(finding.package.evr)"
            if !packages.contains(package) { packages.append(package) }
        }
        return [
            "  \(row.order.map(String.init) ?? "–")", name(row), platforms.isEmpty ? "-" : platforms.joined(separator: " "),
            packages.isEmpty ? "-" : Self.some(packages), row.reason,
        ]
    }

    /// The name of an image without the registry. Example: `team/web`.
    private func name(_ row: RebuildDocument.Row) -> String {
        let parts = row.repository.split(separator: "/", maxSplits: 1)
        return String(parts.count == 2 ? parts[1] : parts.first ?? "\(row.image)").printable()
    }

    /// The first texts of a list, and the number of the others.
    private static func some(_ texts: [String]) -> String {
        texts.prefix(3).joined(separator: ", ") + (texts.count > 3 ? " and \(texts.count - 3) more" : "")
    }

    /// The outcome: a line for each image, from the advisory to the digest.
    var chain: String {
        var lines = ["\(title): \(rebuild.stateName ?? "")\(rebuild.stateReason.map { ": \($0)" } ?? "")".printable()]
        let start = [rebuild.advisory, "compose \(rebuild.compose)"].compactMap(\.self)
        for row in rebuild.plan {
            guard let id = row.build else { continue }
            let build = builds[id]
            let end = build?.digest?.description ?? build?.stateReason ?? row.buildStateName ?? ""
            lines.append("  \(name(row)): \((start + ["build \(id)", end]).joined(separator: " -> "))".printable())
        }
        for row in rebuild.plan where row.build == nil {
            lines.append("  \(name(row)): not built: \(row.reason)".printable())
        }
        if let failed = rebuild.plan.first(where: { $0.buildState == BuildState.failed.rawValue }), let build = failed.build {
            lines.append("Log: odcs image log \(build)")
        }
        return lines.joined(separator: "\n")
    }
}
