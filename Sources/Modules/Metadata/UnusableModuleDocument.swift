import ForeignText

/// An unusable module document is one of the documents of a modules.yaml, refused by libmodulemd.
///
/// It affects only the module that it describes. The packages of that module count as ordinary ones, as
/// in dnf.
public struct UnusableModuleDocument: Hashable, Sendable {
    /// The module that the document describes, or `nil` if the document does not name it.
    public let module: String?
    /// The stream that the document describes, or `nil` if the document does not name it.
    public let stream: String?
    /// The position of the document in the modules.yaml. The first is 1.
    public let number: Int
    /// The reason why it is refused, as a part of a sentence without a full stop.
    public let reason: String
    /// The name of its repository in messages, for example "the repository /srv/repo".
    public internal(set) var repository = "a repository"

    /// The largest number of unusable documents that are kept for one repository.
    static let most = 1000

    /// - Parameter text: The whole document.
    init(_ text: Substring, number: Int, _ error: ModuleMetadataError) {
        module = Self.value(of: ["name:", "module:"], in: text)
        stream = Self.value(of: ["stream:"], in: text)
        self.number = number
        reason = error.clause.printable(most: 300)
    }

    /// Returns the value of the first of these keys in the lines of a document. The document may be invalid
    /// YAML.
    private static func value(of keys: [String], in text: Substring) -> String? {
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), maxSplits: 200) {
            let words = line.drop { $0 == UInt8(ascii: " ") }
            guard let key = keys.first(where: { words.starts(with: $0.utf8) }) else { continue }
            let value = words.dropFirst(key.utf8.count).prefix { $0 != UInt8(ascii: "#") }.filter { !" \"'\r".utf8.contains($0) }
            return value.isEmpty ? nil : String(decoding: value, as: UTF8.self).printable(most: 60)
        }
        return nil
    }

    /// Returns whether it may be the document of this stream. A document without a module or a stream may
    /// describe any.
    public func mayTell(of module: String, stream: String) -> Bool {
        self.module.map { $0 == module } ?? true && self.stream.map { $0 == stream } ?? true
    }
}

extension UnusableModuleDocument: CustomStringConvertible {
    /// A sentence, for example "The module metadata of the repository /srv/repo cannot be used for the
    /// module nodejs:20: …".
    public var description: String {
        let subject = module.map { "the module \($0)\(stream.map { ":\($0)" } ?? "")" } ?? "its document number \(number)"
        return "The module metadata of \(repository) cannot be used for \(subject): \(reason)."
    }
}

extension ModuleMetadataError {
    /// The sentence as a part of another one, without its full stop. It starts with a lower-case letter
    /// unless its first word has more capitals.
    public var clause: String {
        let sentence = description.hasSuffix(".") ? description.dropLast() : description[...]
        let isWord = sentence.dropFirst().first.map { $0.isLowercase || $0 == " " } ?? false
        return isWord ? sentence.prefix(1).lowercased() + sentence.dropFirst() : String(sentence)
    }
}
