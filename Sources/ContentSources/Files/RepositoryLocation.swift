public import ComposeModel
import Foundation
public import SystemPackage

/// The location of a repository, as a user wrote it in a request: an absolute path, `file://`,
/// `http://` or `https://`.
///
/// It is the directory or address that contains `repodata/`. Two texts for the same place are equal
/// locations. For example, `HTTPS://example.com:443/repo` equals `https://example.com/repo`.
public enum RepositoryLocation: Hashable, Sendable {
    case directory(FilePath)
    case url(RepositoryURL)

    /// Reads the text of a request.
    ///
    /// Throws `.sourceNotUsable` if the text is not a location. ``SourceAccess`` decides whether the
    /// location may be read.
    public init(_ text: String) throws(ComposeFailure) {
        if let path = try Self.path(in: text) {
            guard path.isAbsolute else {
                throw ComposeFailure(
                    .sourceNotUsable,
                    "\"\(Self.shown(text))\" is not the location of a repository: it has to be an absolute path (/…), file:///…, http://… or https://…."
                )
            }
            guard !path.components.contains(where: { $0.kind == .parentDirectory }) else {
                throw ComposeFailure(
                    .sourceNotUsable, "The repository \(Self.shown(text)) has a step upwards (..) in its path; write the path without it.")
            }
            self = .directory(path.lexicallyNormalized())
            return
        }
        do {
            let url = try RepositoryURL(text)
            // A slash at the end of a repository's address makes no difference.
            self = .url(try url.appending(href: ""))
        } catch {
            // The message does not repeat the text, because it may contain a password.
            throw ComposeFailure(.sourceNotUsable, "A repository's address in the request cannot be used: \(error.reason).")
        }
    }

    /// Returns the path in `text`, which may begin with `file://`. Returns `nil` if the text is another
    /// URL.
    private static func path(in text: String) throws(ComposeFailure) -> FilePath? {
        try checkCharacters(of: text)
        // Most locations are paths, and the search for a text takes longer than one for a byte.
        guard text.utf8.contains(UInt8(ascii: ":")), let schemeEnd = text.firstRange(of: "://") else { return FilePath(text) }
        guard text[..<schemeEnd.lowerBound].lowercased() == "file" else { return nil }
        let rest = text[schemeEnd.upperBound...]
        let path = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
        guard path.hasPrefix("/"), let decoded = path.removingPercentEncoding else {
            throw ComposeFailure(
                .sourceNotUsable,
                "\"\(shown(text))\" is not the location of a repository: a file:// address of this host has three slashes, file:///….")
        }
        try checkCharacters(of: decoded)
        return FilePath(decoded)
    }

    /// Throws if `text` contains a control character. It would be in every message about the location.
    private static func checkCharacters(of text: String) throws(ComposeFailure) {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw ComposeFailure(.sourceNotUsable, "A repository's location in the request contains a control character.")
        }
    }

    private static func shown(_ text: String) -> String {
        text.count > 200 ? text.prefix(200) + "…" : text
    }
}

extension RepositoryLocation: CustomStringConvertible {
    /// The location in its normal form, from which an equal location can be read.
    ///
    /// It differs from the user's text only in insignificant parts: a slash at the end, the prefix
    /// `file://`, the case of a host, a default port and needless escapes. For example,
    /// `file://localhost/srv/repo/` becomes `/srv/repo`.
    public var description: String {
        switch self {
        case .directory(let path): path.string
        case .url(let url): url.description
        }
    }
}

extension RepositoryLocation: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
