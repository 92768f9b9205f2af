/// The documents of the first modules, of 2017, name packages without an epoch, which libmodulemd refuses.
enum ArtifactEpochs {
    /// The same documents, with epoch 0 where a package of a stream's artifacts has none; everything else keeps its very bytes.
    ///
    /// By lines and not by what they mean as YAML: reading and writing it would take what a document's author likes, where it refers to parts of itself.
    static func added(to yaml: String) -> String {
        guard yaml.contains("artifacts:") else { return yaml }
        var lines: [Substring] = []
        // How far the key `artifacts` is indented, below which packages are.
        var artifacts: Int?
        for line in yaml.split(separator: "\n", omittingEmptySubsequences: false) {
            let text = line.drop { $0 == " " }
            let indentation = line.count - text.count
            if let start = artifacts, !text.isEmpty, indentation <= start { artifacts = nil }
            if text.hasPrefix("artifacts:") { artifacts = indentation }
            lines.append(artifacts == nil ? line : withEpoch(line, text))
        }
        return lines.joined(separator: "\n")
    }

    /// `  - NAME-0:VERSION-RELEASE.ARCH` for a line without the epoch.
    private static func withEpoch(_ line: Substring, _ text: Substring) -> Substring {
        guard text.hasPrefix("- "), !text.contains(":"), text.contains(".") else { return line }
        let dashes = text.dropFirst(2).indices.filter { text[$0] == "-" }
        guard dashes.count >= 2 else { return line }
        let version = text.index(after: dashes[dashes.count - 2])
        return "\(line[..<version])0:\(line[version...])"
    }
}
