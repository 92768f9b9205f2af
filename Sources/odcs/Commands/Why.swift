import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs why`.
struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a package is in a compose.",
        discussion: """
            Prints the shortest way from the package to the request, and the repository
            or tag that it was taken from. A package from Koji has its build, the tags
            that inherit it, and the key that has signed its file. With --dot, the ways of
            all architectures are printed as one graph for Graphviz.

            EXAMPLES
              odcs why 12 openssl-libs
              odcs why 12 openssl-libs --dot | dot -Tsvg > why.svg
            """)

    @Argument(help: "The compose's number.")
    var id: Int
    @Argument(help: "The package's name.")
    var package: String
    @Flag(help: "Print a graph in the language of Graphviz.") var dot = false
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let why = try await connection.connect().why(id, package: package)
        try connection.print(why, or: dot ? Self.graph(why) : why.packages.map(Self.text).joined(separator: "\n"))
    }

    private static func text(_ package: ComposeWhyDocument.Package) -> String {
        let rows =
            package.chain.map { ["  \($0.package)", $0.why] } + [["  from", package.source]] + (package.koji.map(Self.rows) ?? [])
            + package.overruled.map { ["  overruled", $0] }
            + ((package.otherBuilds ?? []).isEmpty ? [] : [["  not taken", (package.otherBuilds ?? []).joined(separator: ", ")]])
        let head = "\(package.package) in \(package.tree):".printable()
        return "\(head)\n\(Table(rows: rows.map { $0.map { $0.printable() } }).text())"
    }

    private static func rows(_ koji: ComposeWhyDocument.Koji) -> [[String]] {
        [["  build", koji.build]] + (koji.way.map { [["  tag", $0]] } ?? []) + [["  file", koji.signature]]
    }

    /// Returns the graph of all chains. An arrow leads from each package to the one that it is there for. A
    /// dashed arrow leads from a package to its tag, and from a tag to the one that it inherits from.
    private static func graph(_ why: ComposeWhyDocument) -> String {
        var lines: [String] = []
        func add(_ line: String) {
            if !lines.contains(line) { lines.append(line) }
        }
        for package in why.packages {
            let chain = package.chain
            for (link, next) in zip(chain, chain.dropFirst().map(Optional.some) + [nil]) {
                if let next {
                    add("  \(node(link.package)) -> \(node(next.package)) [label=\(node(link.why))];")
                } else {
                    add("  \(node(link.package)) [xlabel=\(node(link.why))];")
                }
            }
            guard let koji = package.koji else { continue }
            var last = package.package
            for (index, tag) in koji.tags.enumerated() {
                let label = index == 0 ? "\(koji.build), \(koji.signature)" : "inherits"
                add("  \(node("tag \(tag)")) [shape=ellipse];")
                add("  \(node(last)) -> \(node("tag \(tag)")) [style=dashed, label=\(node(label))];")
                last = "tag \(tag)"
            }
        }
        return "digraph why {\n  rankdir=LR;\n  node [shape=box];\n\(lines.joined(separator: "\n"))\n}"
    }

    /// Returns a text as a quoted name of the language.
    private static func node(_ text: String) -> String {
        "\"\(text.printable().replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
}
