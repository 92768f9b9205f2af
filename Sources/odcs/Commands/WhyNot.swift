import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs why-not`.
struct WhyNot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why-not",
        abstract: "Say why a package is not in a compose.",
        discussion: """
            Prints each cause in a sentence. The service looks into the sources as they
            were when the compose was made, which takes up to a minute.

            EXAMPLES
              odcs why-not 12 htop
              odcs why-not 12 ed-1.20      why not this version
            """)

    @Argument(help: "The compose's number.")
    var id: Int
    @Argument(help: "The package's name, or a longer form with its version and architecture.")
    var package: String
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let found = try await connection.connect().whyNot(id, package: package)
        try connection.print(found, or: Self.text(found))
    }

    private static func text(_ found: ComposeWhyNotDocument) -> String {
        let rows = found.verdicts.map { [$0.cause.words, $0.text.printable()] }
        return Table(rows: rows).text()
    }
}

extension ComposeWhyNotDocument.Cause {
    /// The cause in a few words.
    fileprivate var words: String {
        switch self {
        case .included: "included"
        case .notInSource: "not in the source"
        case .blocked: "blocked"
        case .older: "older"
        case .unsigned: "unsigned"
        case .module: "hidden by a module"
        case .otherArch: "other architecture"
        case .providedBy: "renamed or provided"
        case .notNeeded: "not needed"
        case .lookaside: "in the lookaside"
        case .overruled: "overruled"
        case .unusable: "unusable file"
        case .sourceUnusable: "source unusable"
        }
    }
}
