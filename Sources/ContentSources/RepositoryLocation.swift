public import ComposeModel
import Foundation
public import SystemPackage

/// Where a repository is, as a person wrote it in a request: an absolute path, `file://`, `http://` or `https://`.
///
/// The directory or address is the one that has `repodata/` in it. Two texts that mean the same place are equal locations.
public enum RepositoryLocation: Hashable, Sendable {
    case directory(FilePath)
    case url(RepositoryURL)

    /// Reads what a person wrote.
    ///
    /// Throws `.sourceNotUsable` for what is no location at all; whether it may be read is ``SourceAccess``'s question.
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
            // The slash at the end is a matter of taste in a repository's address.
            self = .url(try url.appending(href: ""))
        } catch {
            // The text is not repeated: it may hold a password.
            throw ComposeFailure(.sourceNotUsable, "A repository's address in the request cannot be used: \(error.reason).")
        }
    }

    /// The path in `text`, which is not that of a URL; `nil` where it is one.
    private static func path(in text: String) throws(ComposeFailure) -> FilePath? {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw ComposeFailure(.sourceNotUsable, "A repository's location in the request contains a control character.")
        }
        guard let schemeEnd = text.firstRange(of: "://") else { return FilePath(text) }
        guard text[..<schemeEnd.lowerBound].lowercased() == "file" else { return nil }
        let rest = text[schemeEnd.upperBound...]
        let path = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
        guard path.hasPrefix("/"), let decoded = path.removingPercentEncoding, !decoded.contains("\0") else {
            throw ComposeFailure(
                .sourceNotUsable,
                "\"\(shown(text))\" is not the location of a repository: a file:// address of this host has three slashes, file:///….")
        }
        return FilePath(decoded)
    }

    private static func shown(_ text: String) -> String {
        text.count > 200 ? text.prefix(200) + "…" : text
    }
}

extension RepositoryLocation: CustomStringConvertible {
    /// As the user wrote it, but for what makes no difference: a slash at the end, the case of a host, a default port, needless escapes.
    ///
    /// Reading it gives an equal location.
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
