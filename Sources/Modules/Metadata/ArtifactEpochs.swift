/// Adds missing epochs to module documents. The documents of the first modules, from 2017, name
/// packages without an epoch, which libmodulemd refuses.
enum ArtifactEpochs {
    /// Returns the same documents, with epoch 0 for each package in a stream's artifacts that has no epoch.
    /// All other bytes stay unchanged.
    ///
    /// The function works on lines and does not parse the YAML. A document that refers to parts of itself
    /// could make parsing and writing arbitrarily expensive.
    static func added(to yaml: String) -> String {
        guard yaml.contains("artifacts:") else { return yaml }
        var lines: [Substring] = []
        // The indentation of the key `artifacts`. The packages are indented more.
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

    /// Returns the line with an epoch, as `  - NAME-0:VERSION-RELEASE.ARCH`, if it names a package without
    /// one. Returns any other line unchanged.
    private static func withEpoch(_ line: Substring, _ text: Substring) -> Substring {
        guard text.hasPrefix("- "), !text.contains(":"), text.contains(".") else { return line }
        let dashes = text.dropFirst(2).indices.filter { text[$0] == "-" }
        guard dashes.count >= 2 else { return line }
        let version = text.index(after: dashes[dashes.count - 2])
        return "\(line[..<version])0:\(line[version...])"
    }
}
