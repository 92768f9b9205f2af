import Modules
import Repodata

/// The modules of a world, written for people:
///
///     nodejs:20:2024:c1 x86_64
///         requires platform:f26 python:3.11|3.12 perl:-5.24
///         node 20-1 x86_64
///         filter npm
///         demodularized old-node
///     default nodejs:20
///
/// A build begins with its id, and with its architecture where that is not x86_64; `static` says that its context was chosen by its packager. Each line
/// of requirements is an alternative.
struct WorldModules {
    private var documents: [String] = []

    init(_ text: String) throws {
        var builds: [Build] = []
        for line in text.split(separator: "\n") {
            let content = line.drop { $0 == " " }
            let words = content.split(separator: " ").map(String.init)
            if content.isEmpty || content.hasPrefix("#") { continue }
            if !line.hasPrefix(" "), words[0] == "default", let colon = words[1].firstIndex(of: ":") {
                documents.append(
                    """
                    ---
                    document: modulemd-defaults
                    version: 1
                    data:
                      module: \(words[1][..<colon])
                      stream: "\(words[1][words[1].index(after: colon)...])"
                    ...
                    """)
            } else if !line.hasPrefix(" ") {
                guard let id = NSVC(words[0]) else { throw WorldError(line: String(line)) }
                let arch = words.dropFirst().first { $0 != "static" }
                builds.append(Build(id: id, arch: arch ?? "x86_64", isStatic: words.contains("static")))
            } else {
                guard !builds.isEmpty else { throw WorldError(line: String(line)) }
                try builds[builds.count - 1].add(words)
            }
        }
        documents = builds.map(\.document) + documents
    }

    var yaml: String { documents.map { "\($0)\n" }.joined() }

    private struct Build {
        let id: NSVC
        let arch: String
        let isStatic: Bool
        var requirements: [[String]] = []
        var packages: [String] = []
        var filters: [String] = []
        var demodularized: [String] = []

        mutating func add(_ words: [String]) throws {
            switch words[0] {
            case "requires": requirements.append(Array(words.dropFirst()))
            case "filter": filters += words.dropFirst()
            case "demodularized": demodularized += words.dropFirst()
            default:
                guard words.count == 3 else { throw WorldError(line: words.joined(separator: " ")) }
                packages.append("\(words[0])-\(words[1].contains(":") ? "" : "0:")\(words[1]).\(words[2])")
            }
        }

        var document: String {
            var lines = [
                "---", "document: modulemd", "version: 2", "data:", "  name: \(id.name)", "  stream: \"\(id.stream)\"",
                "  version: \(id.version)",
                "  context: \(id.context)", "  arch: \(arch)",
            ]
            if isStatic { lines.append("  static_context: true") }
            lines += ["  summary: A module", "  description: A module", "  license:", "    module: [MIT]"]
            if !requirements.isEmpty { lines.append("  dependencies:") }
            for alternative in requirements {
                lines.append("  - requires:")
                for requirement in alternative {
                    let parts = requirement.split(separator: ":", maxSplits: 1)
                    let streams = parts.count == 1 ? [] : parts[1].split(separator: "|").map { "\"\($0)\"" }
                    lines.append("      \(parts[0]): [\(streams.joined(separator: ", "))]")
                }
            }
            func list(_ heading: [String], _ names: [String]) {
                if !names.isEmpty { lines += heading + names.map { "\(String(repeating: " ", count: 2 + 2 * heading.count))- \($0)" } }
            }
            list(["  filter:", "    rpms:"], filters)
            list(["  demodularized:", "    rpms:"], demodularized)
            list(["  artifacts:", "    rpms:"], packages)
            lines.append("...")
            return lines.joined(separator: "\n")
        }
    }
}
