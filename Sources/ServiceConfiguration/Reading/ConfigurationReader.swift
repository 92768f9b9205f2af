import ForeignText
import Foundation
public import SystemPackage
import Yams

/// A configuration reader reads a YAML file key by key. Its errors name the key and the line, or the
/// variable of the environment that takes the place of the key.
///
/// It remembers every key that the program asks for. A key of the file that the program never asks for
/// is a mistake too.
public struct ConfigurationReader {
    /// The file's name, as the user gave it.
    public let file: String
    /// The directory that relative paths in the file are relative to.
    public let directory: FilePath
    private var root: Node.Mapping
    public private(set) var known: [String] = []
    /// The variables whose values were taken, by their keys.
    private var variables: [String: String] = [:]

    /// - Throws: ``ConfigurationError`` if the file is not YAML, or if it is not a mapping of keys.
    public init(_ text: String, file: String, directory: FilePath, environment: [String: String] = [:]) throws {
        self.file = file
        self.directory = directory
        root = try Self.mapping(text, file: file)
        do throws(EnvironmentSetting.NotYAML) {
            for setting in try EnvironmentSetting.all(in: environment) {
                Self.set(setting.words[...], to: setting.value, in: &root)
                variables[setting.key] = setting.variable
            }
        } catch {
            throw ConfigurationError(
                file: error.variable, line: nil, key: nil, message: "begins like a list or a mapping of YAML, and is not YAML")
        }
    }

    /// Reads the file at `path`, relative to the current directory. Without a path, only variables have
    /// values.
    ///
    /// - Throws: ``ConfigurationError`` if the file cannot be read, is not UTF-8, or is not such a mapping.
    public init(path: String?, environment: [String: String]) throws {
        guard let path else {
            try self.init("", file: "the defaults", directory: FilePath("/"), environment: environment)
            return
        }
        let file = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(path))
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: file.string))
        } catch {
            throw ConfigurationError(file: path, line: nil, key: nil, message: Self.reason(error))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(file: path, line: nil, key: nil, message: "this is not UTF-8 text")
        }
        try self.init(text, file: path, directory: file.removingLastComponent(), environment: environment)
    }

    /// Returns why a file cannot be read.
    static func reason(_ error: any Error) -> String {
        switch error {
        case CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile: "there is no such file"
        case CocoaError.fileReadNoPermission: "this user may not read it; use the user of the service, as by runuser -u odcs -- …"
        default: "it cannot be read"
        }
    }

    private static func mapping(_ text: String, file: String) throws -> Node.Mapping {
        do {
            switch try Yams.compose(yaml: text) {
            case .mapping(let mapping): return mapping
            case nil, .scalar(.init("", Tag(.null))): return Node.Mapping([])
            case .some(let node) where node.scalar?.string.isEmpty == true: return Node.Mapping([])
            case .some(let node):
                throw ConfigurationError(file: file, line: node.mark?.line, key: nil, message: "this is not a mapping of keys to values")
            }
        } catch let error as YamlError {
            throw explain(error, in: text, file: file)
        }
    }

    /// Sets a value below its sections. A section that is not a mapping stays as it is, because its own
    /// mistake is reported when its keys are asked for.
    private static func set(_ words: ArraySlice<String>, to value: Node, in mapping: inout Node.Mapping) {
        guard let word = words.first else { return }
        guard words.count > 1 else {
            mapping[word] = value
            return
        }
        let section = mapping[word]
        guard var inner = section.map({ isNull($0) ? Node.Mapping([]) : $0.mapping }) ?? Node.Mapping([]) else { return }
        set(words.dropFirst(), to: value, in: &inner)
        mapping[word] = .mapping(inner)
    }

    private static func explain(_ error: YamlError, in text: String, file: String) -> ConfigurationError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            // The parser reports a missing part at the end of the text in the line after the last one.
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
            return ConfigurationError(file: file, line: min(mark.line, lines), key: nil, message: "this is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            return ConfigurationError(
                file: file, line: context.mark.line, key: duplicates.first,
                message: "this key is there twice in the mapping that begins here")
        default:
            return ConfigurationError(file: file, line: nil, key: nil, message: "this is not YAML: \(error)")
        }
    }

    // MARK: Values

    public mutating func string(_ key: String, default value: String, allowed: [String]? = nil) throws -> String {
        guard let node = try node(key) else { return value }
        guard let text = node.scalar?.string else { throw mistake(key, node, "must be a text") }
        if let allowed, !allowed.contains(text) {
            throw mistake(key, node, "must be one of \(allowed.joined(separator: ", ")), not \(text)")
        }
        return text
    }

    public mutating func optionalString(_ key: String) throws -> String? {
        let text = try string(key, default: "")
        return text.isEmpty ? nil : text
    }

    public mutating func int(_ key: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let node = try node(key) else { return value }
        guard let number = node.int, range.contains(number) else {
            throw mistake(key, node, "must be a whole number from \(range.lowerBound) to \(range.upperBound)\(Self.but(node))")
        }
        return number
    }

    public mutating func bool(_ key: String, default value: Bool) throws -> Bool {
        guard let node = try node(key) else { return value }
        guard let bool = node.bool else { throw mistake(key, node, "must be true or false\(Self.but(node))") }
        return bool
    }

    public mutating func strings(_ key: String, default value: [String], isEmptyAllowed: Bool = false) throws -> [String] {
        guard let node = try node(key) else { return value }
        guard let sequence = node.sequence else { throw mistake(key, node, "must be a list\(Self.but(node))") }
        return try sequence.map { item in
            guard let text = item.scalar?.string, isEmptyAllowed || !text.isEmpty else {
                throw mistake(key, item, "must be a list of texts")
            }
            return text
        }
    }

    /// Returns a list of texts, or a single text as a list.
    public mutating func stringOrStrings(_ key: String) throws -> [String] {
        guard let text = try node(key)?.scalar?.string else { return try strings(key, default: []) }
        return [text]
    }

    public mutating func path(_ key: String, default value: FilePath) throws -> FilePath {
        try optionalString(key).map(resolve) ?? resolve(value.string)
    }

    public mutating func paths(_ key: String) throws -> [FilePath] {
        try strings(key, default: []).map(resolve)
    }

    /// Returns the names directly below `key`, for a mapping whose keys the operator chooses.
    public mutating func names(below key: String) throws -> [String] {
        guard let node = try node(key) else { return [] }
        guard let mapping = node.mapping else { throw mistake(key, node, "must be a mapping of names\(Self.but(node))") }
        return mapping.keys.compactMap(\.string)
    }

    private func resolve(_ path: String) -> FilePath {
        let path = FilePath(path)
        return path.isAbsolute ? path : directory.pushing(path).lexicallyNormalized()
    }

    // MARK: Mistakes

    /// - Throws: ``ConfigurationError`` for the first key of the file that the program did not ask for.
    public func rejectUnknownKeys() throws {
        try rejectUnknownKeys(of: root, below: "")
    }

    private func rejectUnknownKeys(of mapping: Node.Mapping, below prefix: String) throws {
        for (name, value) in mapping {
            let word = name.string ?? ""
            let key = prefix + word
            if known.contains(where: { $0.hasPrefix(key + ".") }), value.mapping != nil || Self.isNull(value) {
                if let mapping = value.mapping { try rejectUnknownKeys(of: mapping, below: key + ".") }
            } else if !known.contains(key) {
                let hint = meant(by: word, below: prefix).map { "; did you mean \($0)?" } ?? ""
                throw error(key, name.mark, "there is no such key\(hint)")
            }
        }
    }

    /// Returns the key of the same mapping with the nearest name, or else a key of the same name in another
    /// mapping.
    private func meant(by word: String, below prefix: String) -> String? {
        let names = known.filter { $0.hasPrefix(prefix) }.compactMap {
            $0.dropFirst(prefix.count).split(separator: ".").first.map(String.init)
        }
        // A short name may differ in few letters only. With more, it is another name.
        if let nearest = NearestNames(names: names).nearest(to: word, within: min(4, word.count / 2)) { return prefix + nearest }
        return known.first { $0.hasSuffix("." + word) }
    }

    /// Returns the error for the value of `key`.
    public func mistake(_ key: String, _ message: String) -> ConfigurationError {
        error(key, find(key)?.mark, message)
    }

    private func mistake(_ key: String, _ node: Node, _ message: String) -> ConfigurationError {
        error(key, node.mark, message)
    }

    /// Returns the error with the place of the key: the variable that has its value, or else a line of the
    /// file.
    private func error(_ key: String, _ mark: Mark?, _ message: String) -> ConfigurationError {
        var section = key[...]
        while !section.isEmpty {
            if let variable = variables[String(section)] {
                return ConfigurationError(file: variable, line: nil, key: key, message: message)
            }
            section = section[..<(section.lastIndex(of: ".") ?? section.startIndex)]
        }
        return ConfigurationError(file: file, line: mark?.line, key: key, message: message)
    }

    private static func but(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): ", not \(scalar.string.isEmpty ? "empty" : scalar.string)"
        case .sequence: ", not a list"
        case .mapping: ", not a mapping"
        case .alias: ", not an alias"
        }
    }

    // MARK: Finding

    /// Returns the value of a key, or `nil` if the key is absent or null.
    private mutating func node(_ key: String) throws -> Node? {
        known.append(key)
        let words = key.split(separator: ".").map(String.init)
        var mapping = root
        for (depth, word) in words.dropLast().enumerated() {
            guard let next = mapping.value(of: word), !Self.isNull(next) else { return nil }
            guard let inner = next.mapping else {
                throw mistake(words.prefix(depth + 1).joined(separator: "."), next, "must be a mapping of keys\(Self.but(next))")
            }
            mapping = inner
        }
        guard let last = words.last, let node = mapping.value(of: last) else { return nil }
        return Self.isNull(node) ? nil : node
    }

    /// Returns whether a value is null: empty, `~` or `null`, and not in quotes.
    private static func isNull(_ node: Node) -> Bool { node.null != nil && node.scalar?.style == .plain }

    private func find(_ key: String) -> Node? {
        key.split(separator: ".").reduce(Node.mapping(root) as Node?) { $0?.mapping?.value(of: String($1)) }
    }
}

extension Node.Mapping {
    /// Returns the value of a key by its text. Yams takes a plain `off` for a truth value, and a quoted one
    /// for a text, so that its own look-up does not find both.
    fileprivate func value(of key: String) -> Node? { first { $0.key.scalar?.string == key }?.value }
}
