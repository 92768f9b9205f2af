import ComposeModel
import ForeignText
import ImageModel

/// The result of a dry run as text for people.
struct DryRunText {
    let found: DryRunDocument

    init(_ found: DryRunDocument) { self.found = found }

    var text: String {
        var lines = [head]
        lines += found.findings.map { "  \($0.printable())" }
        for tree in found.trees {
            let count = tree.packages.count == 1 ? "1 package" : "\(tree.packages.count) packages"
            lines.append("\(tree.tree.printable()): \(count), \(ByteCount.text(tree.bytes))")
            lines += tree.packages.map { "  \($0.printable())" }
        }
        return lines.joined(separator: "\n")
    }

    private var head: String {
        switch found.outcome {
        case .build:
            let estimate = found.estimateSeconds.map { " The last composes took \(Self.seconds($0)) on average." } ?? ""
            return "A repository would be built.\(estimate)"
        case .join:
            return "The compose would wait for compose \(found.joins.map(String.init) ?? "?"), which is being built, and show its result."
        case .reuse:
            return "The compose would show the result of compose \(found.reuses.map(String.init) ?? "?")."
        case .failure:
            return "The compose would fail: \(found.failure?.message.printable(keepingLines: true) ?? "")"
        }
    }

    private static func seconds(_ seconds: Double) -> String {
        seconds < 10 ? "\((seconds * 10).rounded() / 10) seconds" : "\(Int(seconds.rounded())) seconds"
    }
}
