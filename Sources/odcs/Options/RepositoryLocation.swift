import Foundation

/// A repository location is a URL, or a directory that the service can read too.
enum RepositoryLocation {
    /// Returns `words`, which are separated by spaces. Each word that is a directory on this host becomes
    /// an absolute path, because the service runs in another directory.
    ///
    /// - Throws: `CommandFailure` for a path that begins with `./` or `../` and is not a directory.
    static func resolve(_ words: String, in directory: String) throws -> [String] {
        try words.split(whereSeparator: \.isWhitespace).map { word in
            let word = String(word)
            guard !word.contains("://"), !word.hasPrefix("/") else { return word }
            let url = URL(filePath: word, directoryHint: .isDirectory, relativeTo: URL(filePath: directory, directoryHint: .isDirectory))
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), isDirectory.boolValue {
                let path = url.standardizedFileURL.path
                return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
            }
            guard !word.hasPrefix("./"), !word.hasPrefix("../") else {
                throw CommandFailure(.error, "\(word) is not a directory here; a repository is a directory with repodata in it, or a URL")
            }
            return word
        }
    }
}
