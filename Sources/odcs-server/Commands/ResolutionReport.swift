import Depsolve
import ForeignText
import Repodata

/// A resolution report is a resolution for people. It has one line for each package, with the reason.
/// The problems follow.
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
