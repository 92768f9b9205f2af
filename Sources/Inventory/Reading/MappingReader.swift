import ForeignText
import Yams

/// A mapping reader reads one YAML mapping key by key. Its errors name the key and the line.
///
/// It remembers every key that the program asks for. A key of the file that the program never asks for
/// is a mistake too.
struct MappingReader {
    let file: String
    /// The keys above, each with a dot. It is empty for the whole file.
    let prefix: String
    let line: Int?
    private let mapping: Node.Mapping
    private var known: [String] = []

    private init(_ mapping: Node.Mapping, file: String, prefix: String, line: Int?) {
        self.mapping = mapping
        self.file = file
        self.prefix = prefix
        self.line = line
    }

    /// - Throws: ``InventoryProblem`` if the text is not YAML, or if it is not a mapping of keys.
    init(_ text: String, file: String) throws(InventoryProblem) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.explain(error, in: text, file: file)
        }
        guard let mapping = root?.mapping else {
            throw InventoryProblem(file: file, line: root?.mark?.line, "this is not a mapping of keys to values")
        }
        self.init(mapping, file: file, prefix: "", line: 1)
    }

    private static func explain(_ error: any Error, in text: String, file: String) -> InventoryProblem {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            // The parser reports a missing part at the end of the text in the line after the last one.
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
            return InventoryProblem(file: file, line: min(mark.line, lines), "this is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first.map { "\($0)" }
            return InventoryProblem(
                file: file, line: context.mark.line, key: key, "this key is there twice in the mapping that begins here")
        default:
            return InventoryProblem(file: file, "this is not YAML: \(error)")
        }
    }

    // MARK: Values

    /// Returns a text, or `nil` if the key is absent.
    mutating func text(_ key: String, _ expected: String = "a text", where isRight: (String) -> Bool = { _ in true })
        throws(InventoryProblem) -> String?
    {
        guard let node = node(key) else { return nil }
        return try text(of: node, key, expected, isRight)
    }

    mutating func texts(
        _ key: String, _ expected: String = "texts", where isRight: (String) -> Bool = { _ in true }
    ) throws(InventoryProblem) -> [String]? {
        guard let node = node(key) else { return nil }
        guard let sequence = node.sequence else { throw mistake(key, node, "must be a list of \(expected)\(Self.but(node))") }
        guard sequence.count <= 2000 else { throw mistake(key, node, "has more than 2000 elements") }
        var texts: [String] = []
        for item in sequence {
            let text = try text(of: item, key, "a list of \(expected)", isRight)
            guard !texts.contains(text) else { throw mistake(key, item, "has \(text.quoted) twice") }
            texts.append(text)
        }
        return texts
    }

    mutating func flag(_ key: String) throws(InventoryProblem) -> Bool? {
        guard let node = node(key) else { return nil }
        guard let flag = Self.flag(node) else { throw mistake(key, node, "must be true or false\(Self.but(node))") }
        return flag
    }

    mutating func number(_ key: String) throws(InventoryProblem) -> Int? {
        guard let node = node(key) else { return nil }
        guard node.scalar?.style == .plain, let number = node.int else {
            throw mistake(key, node, "must be a whole number\(Self.but(node))")
        }
        return number
    }

    /// Returns a reader of the mapping below `key`, or `nil` if the key is absent.
    mutating func mapping(_ key: String) throws(InventoryProblem) -> MappingReader? {
        guard let node = node(key) else { return nil }
        guard let inner = node.mapping else { throw mistake(key, node, "must be a mapping of keys\(Self.but(node))") }
        return MappingReader(inner, file: file, prefix: prefix + key + ".", line: node.mark?.line)
    }

    /// The names in a mapping whose keys the author chooses.
    ///
    /// - Parameter isRight: Whether a text can be such a name.
    func names(_ expected: String, where isRight: (String) -> Bool) throws(InventoryProblem) -> [String] {
        guard mapping.count <= 2000 else { throw InventoryProblem(file: file, line: line, key: path, "has more than 2000 keys") }
        var names: [String] = []
        for key in mapping.keys {
            guard let name = key.scalar?.string, isRight(name) else {
                throw InventoryProblem(
                    file: file, line: key.mark?.line, key: prefix + (key.scalar?.string ?? ""), "the key must be \(expected)")
            }
            names.append(name)
        }
        return names
    }

    /// Returns the node of a key as the reader of a choice of forms.
    mutating func form(_ key: String) -> Form? {
        guard let node = node(key) else { return nil }
        if node.sequence != nil { return .list }
        if node.mapping != nil { return .mapping }
        return Self.flag(node) == nil ? .text : .flag
    }

    enum Form { case text, flag, list, mapping }

    /// Calls `body` for each element of the list `key`: with a text, or with a reader of a mapping.
    mutating func elements(
        _ key: String, _ body: (String?, MappingReader?) throws(InventoryProblem) -> Void
    ) throws(InventoryProblem) {
        guard let sequence = node(key)?.sequence else { return }
        for item in sequence {
            if let inner = item.mapping {
                try body(nil, MappingReader(inner, file: file, prefix: prefix + key + ".", line: item.mark?.line))
            } else {
                try body(try text(of: item, key, "a list of texts and mappings", { _ in true }), nil)
            }
        }
    }

    private func text(
        of node: Node, _ key: String, _ expected: String, _ isRight: (String) -> Bool
    ) throws(InventoryProblem) -> String {
        guard let scalar = node.scalar else { throw mistake(key, node, "must be \(expected)\(Self.but(node))") }
        if Self.isOtherThanText(node) {
            let what = scalar.string.isEmpty ? "empty" : scalar.string
            throw mistake(
                key, node, "must be \(expected), and YAML reads \(what) as another value. Write it in quotes: \"\(scalar.string)\"")
        }
        guard scalar.string.isPlainLine, scalar.string.utf8.count <= 4096 else {
            throw mistake(key, node, "must be \(expected) on one line")
        }
        guard isRight(scalar.string) else { throw mistake(key, node, "must be \(expected)\(Self.but(node))") }
        return scalar.string
    }

    // MARK: Mistakes

    /// - Throws: ``InventoryProblem`` for the first key that the program did not ask for.
    func rejectUnknownKeys() throws(InventoryProblem) {
        for name in mapping.keys {
            let word = name.scalar?.string ?? ""
            if known.contains(word) { continue }
            // A short name may differ in few letters only. With more, it is another name.
            let nearest = NearestNames(names: known).nearest(to: word, within: min(4, word.count / 2))
            let hint = nearest.map { "; did you mean \($0)?" } ?? "; there are \(known.sorted().joined(separator: ", "))"
            throw InventoryProblem(file: file, line: name.mark?.line, key: prefix + word, "there is no such key\(hint)")
        }
    }

    /// Returns the error for the value of `key`.
    func mistake(_ key: String, _ message: String) -> InventoryProblem {
        InventoryProblem(file: file, line: mapping[key]?.mark?.line ?? line, key: prefix + key, message)
    }

    private func mistake(_ key: String, _ node: Node, _ message: String) -> InventoryProblem {
        InventoryProblem(file: file, line: node.mark?.line, key: prefix + key, message)
    }

    private var path: String { String(prefix.dropLast()) }

    private static func but(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): ", not \(scalar.string.isEmpty ? "empty" : scalar.string.quoted)"
        case .sequence: ", not a list"
        case .mapping: ", not a mapping"
        case .alias: ", not an alias"
        }
    }

    // MARK: Nodes

    private mutating func node(_ key: String) -> Node? {
        if !known.contains(key) { known.append(key) }
        return mapping[key]
    }

    /// Returns whether a plain scalar is a number, a date, null, true or false.
    private static func isOtherThanText(_ node: Node) -> Bool {
        guard node.scalar?.style == .plain else { return false }
        return node.int != nil || node.float != nil || node.bool != nil || node.null != nil || node.timestamp != nil
    }

    private static func flag(_ node: Node) -> Bool? { node.scalar?.style == .plain ? node.bool : nil }
}
