import Depsolve
import ForeignText
import Repodata

/// A resolution for people: a line a package, with the reason, and after them what is not as it should be.
struct ResolutionReport {
    private let resolution: Resolution

    init(_ resolution: Resolution) {
        self.resolution = resolution
    }

    var text: String {
        let trees = resolution.trees.flatMap { tree in
            section(tree.arch, tree.binaries) + section("\(tree.arch), debug", tree.debug)
        }
        let findings: [[any CustomStringConvertible]] = [
            resolution.absent, resolution.unnameable, resolution.unusable, resolution.overruled, resolution.missing, resolution.problems,
            resolution.moduleProblems,
        ]
        let sentences = findings.flatMap { $0.map(\.description) }
        let lines =
            trees + section("source", resolution.sources)
            + (sentences.isEmpty ? [] : ["not as it should be:"] + sentences.map { "  \($0)" })
        return lines.map { $0.printable() + "\n" }.joined()
    }

    private func section(_ title: String, _ packages: [ResolvedPackage]) -> [String] {
        guard !packages.isEmpty else { return [] }
        let width = packages.map(\.record.nevra.description.count).max() ?? 0
        return ["\(title):"]
            + packages.map { package in
                let nevra = package.record.nevra.description
                return "  \(nevra)\(String(repeating: " ", count: width - nevra.count))  \(package.reason)"
            }
    }
}
