import ComposeModel
import ForeignText

/// A table of findings about packages: those of a failure, or those that the list of packages records.
struct FindingTable: Sendable {
    struct Row: Sendable {
        var package = ""
        var arch = ""
        var requirement = ""
        var nearest = ""
        var text = ""

        init(package: String = "", arch: String = "", requirement: String = "", nearest: [String] = [], text: String = "") {
            self.package = package.shown(300)
            self.arch = arch.shown(60)
            self.requirement = requirement.shown(300)
            self.nearest = nearest.joined(separator: ", ").shown(300)
            self.text = text.shown(600)
        }

        init(_ detail: ComposeFailure.Detail) {
            // The head of a row must not be empty. A finding without a package is a text alone.
            self.init(
                package: detail.package ?? detail.text ?? "–", arch: detail.arch ?? "", requirement: detail.requirement ?? "",
                nearest: detail.nearest ?? [], text: detail.package == nil ? "" : detail.text ?? "")
        }
    }

    private static let mostRows = 50

    let caption: String
    let rows: [Row]
    /// How many findings are left out.
    let more: String?

    /// Returns `nil` if there is no finding.
    init?(_ caption: String, _ rows: [Row], total: Int? = nil) {
        guard !rows.isEmpty else { return nil }
        self.caption = caption
        self.rows = Array(rows.prefix(Self.mostRows))
        let rest = (total ?? rows.count) - self.rows.count
        more = rest > 0 ? "and \(rest) more, which compose.lock.json has" : nil
    }

    /// The findings in a list of packages, a table for each kind.
    static func tables(_ head: LockFilePages.Head) -> [FindingTable] {
        let absent = (head.absent ?? []).prefix(mostRows).map {
            Row(package: $0.pattern, arch: $0.arches.joined(separator: " "), nearest: $0.nearest, text: "The source does not have it.")
        }
        let missing = (head.missing ?? []).prefix(mostRows).map {
            Row(package: $0.package.text, arch: $0.arch, requirement: $0.requirement, nearest: $0.nearest)
        }
        let problems = (head.problems ?? []).prefix(mostRows).map {
            Row(package: $0.package.text, arch: $0.arch, text: ($0.statements ?? []).compactMap(\.text).joined(separator: ". "))
        }
        let overruled = (head.overruled ?? []).prefix(mostRows).map {
            Row(package: $0.package.text, arch: $0.arch, text: "\($0.reason).")
        }
        return [
            FindingTable("Packages that were asked for and are absent", absent, total: head.absent?.count),
            FindingTable("Requirements that nothing satisfies", missing, total: head.missing?.count),
            FindingTable("Packages that cannot be installed", problems, total: head.problems?.count),
            FindingTable("Packages that another source has overruled", overruled, total: head.overruled?.count),
        ].compactMap(\.self)
    }
}

/// Advice for a person whose compose failed.
enum Advice {
    static func sentences(for failure: ComposeFailure) -> [String] {
        var sentences = byCode(failure.code)
        if failure.isTransient { sentences.append("The reason may pass. Make the compose again in a while.") }
        return sentences
    }

    private static func byCode(_ code: ComposeFailure.Code) -> [String] {
        switch code {
        case .packageNotFound:
            [
                "Look at the nearest names. A package may have been renamed.",
                "Leave out packages that the source does not have, or name a source that has them.",
            ]
        case .brokenDependencies:
            [
                "Add the missing packages, or a lookaside repository that has them.",
                "Leave out the flag check_deps to get the repository as it is.",
            ]
        case .sourceNotUsable: ["Check the name or the address of the source. The operator decides which sources are allowed."]
        case .metadataCorrupt: ["Tell the owner of the source. Its metadata must be made again."]
        case .packageFileUnusable: ["Tell the owner of the source. A package's file is missing there, or differs from the metadata."]
        case .packageUnsigned:
            [
                "Name further signing keys, or allow unsigned packages with an empty key.",
                "Set on_unsigned to wait, and the compose waits until the packages are signed.",
            ]
        case .sourceChanging: ["Make the compose again when the source is quiet."]
        case .sourceUnreachable: ["Make the compose again when the source answers."]
        case .limitExceeded: ["Ask for fewer packages or architectures, or ask the operator for a higher limit."]
        case .storage, .signing, .workerLost, .internal: ["Tell the operator of this service. The log has more."]
        case .canceled: []
        }
    }
}
