import ComposeModel
import ForeignText

/// An outcome is the text about a compose for the person who requested it. It includes the next
/// possible step.
struct Outcome {
    let compose: ComposeDocument

    init(_ compose: ComposeDocument) {
        self.compose = compose
    }

    /// Whether the compose is done, and a person has deleted it. Its files are there for some seconds yet.
    private var isDeleted: Bool { compose.state == ComposeState.done.rawValue && compose.removedBy != nil }

    /// Whether the compose can be used.
    var isSuccess: Bool { compose.state == ComposeState.done.rawValue && !isDeleted }

    var text: String {
        switch ComposeState(rawValue: compose.state) {
        case .wait, .generating: underWay
        case .done where isDeleted: deleted
        case .done: done
        case .failed: failed
        case .removed: removed
        case nil: "Compose \(compose.id): \(compose.stateName.printable())"
        }
    }

    private var name: String { "odcs-\(compose.id)" }

    private var underWay: String {
        """
        Compose \(compose.id) is accepted: \(compose.stateName.printable()).
        Next: odcs wait \(compose.id)
        """
    }

    private var done: String {
        let hasRepoFile = !compose.resultRepofile.isEmpty
        var rows = [
            hasRepoFile ? ["  repo file", compose.resultRepofile] : ["  files", compose.toplevelURL],
            ["  packages", compose.packages.map(Self.shortened) ?? everything],
        ]
        if let expires = compose.timeToExpire { rows.append(["  expires", Moment.text(expires)]) }
        if let note = compose.stateReason, !note.isEmpty { rows.append(["  note", note]) }
        var lines = ["Compose \(compose.id) is done.", Table(rows: rows).text()]
        if hasRepoFile { lines.append("Next: sudo curl -o /etc/yum.repos.d/\(name).repo \(compose.resultRepofile.printable())") }
        // A compose of Pulp's repositories consists of its .repo file alone.
        if hasRepoFile, SourceType(rawValue: compose.sourceType)?.traits.writesOwnTree != false {
            let address = "\(compose.resultRepo.printable())/\(TreeLayout.path(.os, "$basearch"))"
            lines.append("  or: dnf --repofrompath '\(name),\(address)' --repo \(name) list")
        }
        return lines.joined(separator: "\n")
    }

    /// The packages of a compose whose request names none.
    private var everything: String {
        switch SourceType(rawValue: compose.sourceType) {
        case .module: "all of the modules"
        case .build: "all of the builds"
        default: "everything in the source"
        }
    }

    private var failed: String {
        """
        Compose \(compose.id) failed: \(compose.stateReason.map(Self.indented) ?? "no reason was given")
        Log: \(compose.toplevelURL.printable())/\(ComposeLayout.log)
        """
    }

    private var deleted: String {
        """
        Compose \(compose.id) was deleted by \((compose.removedBy ?? "").printable()). Its files will be removed soon.
        Next: odcs renew \(compose.id)
        """
    }

    private var removed: String {
        let reason = compose.stateReason.map { ": \(Self.indented($0))" } ?? ""
        return """
            Compose \(compose.id) is removed\(reason)
            Next: odcs renew \(compose.id)
            """
    }

    /// Returns the lines of a reason. All lines except the first are indented, so that none looks like a
    /// line of this program.
    private static func indented(_ reason: String) -> String {
        reason.split(separator: "\n").map { $0.printable() }.joined(separator: "\n  ")
    }

    /// Returns the list of packages, shortened to a readable length. `odcs get` shows all of it.
    private static func shortened(_ packages: String) -> String {
        packages.printable(most: 300)
    }
}
