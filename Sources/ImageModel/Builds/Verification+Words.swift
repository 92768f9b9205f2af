/// A verification in words.
extension Verification {
    /// The most packages that one sentence names.
    private static let mostNames = 10

    /// The findings in whole sentences, the gravest first. Empty if nothing is wrong.
    public var sentences: [String] {
        var sentences: [String] = []
        if let problem { sentences.append("The packages of the new image are not known: \(problem)") }
        if hasLostDatabase { sentences.append("The new image has no rpmdb any more, so its packages cannot be verified.") }
        if !stillOlder.isEmpty { sentences.append("The new image still has \(Self.list(stillOlder.map(\.words))).") }
        if !vanished.isEmpty, !hasLostDatabase {
            sentences.append("The new image lacks packages that it had before: \(Self.list(vanished.map(\.description))).")
        }
        if !downgraded.isEmpty {
            let changes = downgraded.map { "\($0.after) in place of \($0.before.evr)" }
            sentences.append("The new image has older packages than before: \(Self.list(changes)).")
        }
        return sentences
    }

    /// Returns the failure that keeps the tags from moving, or nil if the image may be published.
    ///
    /// Contents that cannot be read fail the build only if it had to bring packages.
    ///
    /// - Parameter refusesUnexpected: Whether packages that vanished or went down fail the build. Otherwise
    ///   they are only reported.
    public func failure(refusesUnexpected: Bool) -> BuildFailure? {
        let text = sentences.joined(separator: " ")
        if !stillOlder.isEmpty { return BuildFailure(.stillOlder, text) }
        if hasWanted, problem != nil { return BuildFailure(.contentsUnknown, text) }
        if hasWanted, hasLostDatabase { return BuildFailure(.unexpectedContents, text) }
        if refusesUnexpected, !(vanished.isEmpty && downgraded.isEmpty) { return BuildFailure(.unexpectedContents, text) }
        return nil
    }

    private static func list(_ names: [String]) -> String {
        let rest = names.count - mostNames
        return names.prefix(mostNames).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}

extension Verification.StillOlder {
    /// For example `zlib-1.2-1.x86_64, which is older than 1.3-1 and comes with team/base`.
    fileprivate var words: String {
        let origin =
            if let parent {
                "comes with \(parent)"
            } else if let layer {
                "is installed by the Containerfile, in the layer \(layer)"
            } else {
                "is installed by the Containerfile"
            }
        return "\(installed), which is older than \(newest) and \(origin)"
    }
}
