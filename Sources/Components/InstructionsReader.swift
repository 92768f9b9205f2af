import ForeignText
import Yams

extension ComponentInstructions {
    /// The most entries of a list.
    private static let mostEntries = 100
    private static let mostCommandBytes = 16 << 10

    /// Reads the instructions in a text. Keys that have another use, such as `description`, are passed
    /// over.
    ///
    /// - Parameter file: The name of the file in messages.
    public init(_ text: String, file: String) throws(ComponentProblem) {
        guard !YAMLAliases.areTooMany(in: text) else {
            throw ComponentProblem(file: file, "this has more than \(YAMLAliases.most) aliases (*name)")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.explain(error, in: text, file: file)
        }
        guard let mapping = root?.mapping else {
            throw ComponentProblem(file: file, line: root?.mark?.line, "this is not a mapping of keys to values")
        }
        let reader = Reader(file: file)
        command = try reader.command(mapping["build"])
        artifacts = try reader.texts(mapping["artifacts"], "artifacts").map { (node) throws(ComponentProblem) in
            try reader.path(node)
        }
        dependencies = try reader.dependencies(mapping["dependencies"])
        environments = try mapping["environments"].map { (node) throws(ComponentProblem) in
            try reader.texts(node, "environments").map(\.text)
        }
        guard command != nil || !artifacts.isEmpty else {
            throw ComponentProblem(
                file: file, "there is neither build, the commands to run, nor artifacts, the files of the component")
        }
    }

    private static func explain(_ error: any Error, in text: String, file: String) -> ComponentProblem {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            // The parser reports a missing part at the end of the text in the line after the last one.
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
            return ComponentProblem(file: file, line: min(mark.line, lines), "this is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            return ComponentProblem(
                file: file, line: context.mark.line, "the key \(duplicates.first.map { "\($0)" } ?? "") is there twice")
        default: return ComponentProblem(file: file, "this is not YAML")
        }
    }

    /// Reads the values of keys.
    private struct Reader {
        let file: String

        func mistake(_ node: Node?, _ message: String) -> ComponentProblem {
            ComponentProblem(file: file, line: node?.mark?.line, message)
        }

        /// Returns the commands of `build`: a text, a list of texts, or a mapping with `command`.
        func command(_ node: Node?) throws(ComponentProblem) -> String? {
            guard let node, !Self.isNull(node) else { return nil }
            if let mapping = node.mapping {
                guard let command = mapping["command"] else { throw mistake(node, "build has no command") }
                return try self.command(command)
            }
            let commands = try (node.sequence.map(Array.init) ?? [node]).map { (node) throws(ComponentProblem) in
                guard let text = node.scalar?.string, !text.utf8.contains(0) else {
                    throw mistake(node, "build must be a command, or a list of commands")
                }
                return text
            }
            let text = commands.joined(separator: "\n")
            guard text.utf8.count <= ComponentInstructions.mostCommandBytes else {
                throw mistake(node, "build has more than \(ComponentInstructions.mostCommandBytes) bytes")
            }
            return text.allSatisfy(\.isWhitespace) ? nil : text
        }

        /// Returns a list of texts with their nodes. A single text is a list too.
        func texts(_ node: Node?, _ key: String) throws(ComponentProblem) -> [(text: String, node: Node)] {
            guard let node, !Self.isNull(node) else { return [] }
            let nodes = node.sequence.map(Array.init) ?? [node]
            guard nodes.count <= ComponentInstructions.mostEntries else {
                throw mistake(node, "\(key) has \(nodes.count) entries. \(ComponentInstructions.mostEntries) are possible")
            }
            return try nodes.map { (node) throws(ComponentProblem) in
                guard let text = node.scalar?.string, !text.isEmpty else { throw mistake(node, "\(key) must be a list of texts") }
                return (text, node)
            }
        }

        /// Returns a path below the top of the repository.
        func path(_ artifact: (text: String, node: Node)) throws(ComponentProblem) -> String {
            let (text, node) = artifact
            // Builders expand other characters.
            guard !text.hasPrefix("/"), text.utf8.count <= 1024, text.wholeMatch(of: /[A-Za-z0-9._+@~\/-]+/) != nil else {
                throw mistake(
                    node,
                    "the artifact \(text.quoted) must be a path below the top of the repository, of letters, digits and . _ + @ ~ / -")
            }
            let names = text.split(separator: "/").filter { $0 != "." }
            guard names.allSatisfy(PathComponent.accepts) else {
                throw mistake(node, "the artifact \(text.quoted) leads out of the repository")
            }
            return names.joined(separator: "/")
        }

        /// Returns the dependencies: a mapping of names to tags, or a list of such mappings.
        func dependencies(_ node: Node?) throws(ComponentProblem) -> [Dependency] {
            guard let node, !Self.isNull(node) else { return [] }
            var found: [Dependency] = []
            for entry in node.sequence.map(Array.init) ?? [node] {
                guard let mapping = entry.mapping else {
                    throw mistake(entry, "dependencies must be a list of names and tags, such as \"- asyn: R4.39\"")
                }
                for (name, tag) in mapping {
                    guard let component = name.scalar?.string, let tag = tag.scalar?.string else {
                        throw mistake(name, "a dependency must be a name and a tag, such as \"asyn: R4.39\"")
                    }
                    guard !found.contains(where: { $0.component == component }) else {
                        throw mistake(name, "the dependency \(component.quoted) is there twice")
                    }
                    found.append(Dependency(component: component, tag: tag, line: name.mark?.line ?? 0))
                }
            }
            guard found.count <= ComponentInstructions.mostEntries else {
                throw mistake(node, "dependencies has \(found.count) entries. \(ComponentInstructions.mostEntries) are possible")
            }
            return found
        }

        private static func isNull(_ node: Node) -> Bool { node.null != nil && node.scalar?.style == .plain }
    }
}
