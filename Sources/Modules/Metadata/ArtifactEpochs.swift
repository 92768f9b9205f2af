import Yams

/// The documents of the first modules, of 2017, name packages without an epoch, which libmodulemd refuses.
enum ArtifactEpochs {
    /// The same documents, with epoch 0 where a package of a stream's artifacts has none. Other documents keep their very bytes.
    static func added(to yaml: String) -> String {
        guard yaml.contains("artifacts:") else { return yaml }
        // Cheap, and right but for strange layouts: only a line of its own that names a package without a colon is in need.
        guard yaml.split(separator: "\n").contains(where: isBare) else { return yaml }
        do {
            var documents: [Node] = []
            for document in try Yams.compose_all(yaml: yaml) { documents.append(withEpochs(document)) }
            return try Yams.serialize(nodes: documents, explicitStart: true, explicitEnd: true)
        } catch {
            // libmodulemd says what is wrong with it, in its own words.
            return yaml
        }
    }

    private static func isBare(_ line: Substring) -> Bool {
        let item = line.drop { $0 == " " }
        guard item.hasPrefix("- ") else { return false }
        return !item.contains(":") && item.contains(".") && item.count { $0 == "-" } > 2
    }

    private static func withEpochs(_ document: Node) -> Node {
        var document = document
        guard document["document"] == "modulemd", let rpms = document["data"]?["artifacts"]?["rpms"]?.sequence else { return document }
        let named = rpms.map { node -> Node in
            guard let text = node.string, !text.contains(":") else { return node }
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count > 2 else { return node }
            return Node((parts.dropLast(2) + ["0:\(parts[parts.count - 2])"[...]] + parts.suffix(1)).joined(separator: "-"))
        }
        document["data"]?["artifacts"]?["rpms"] = Node(named)
        return document
    }
}
