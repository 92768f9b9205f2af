import ComposeClient
import Foundation
import SystemPackage

/// A token file keeps the tokens of `odcs login`, one for each server. It is `odcs/tokens.json` in
/// `$XDG_CONFIG_HOME` or `~/.config`, and only its owner can read it.
struct TokenFile {
    let path: FilePath

    /// Returns `nil` if the environment names no place for it. A relative `$XDG_CONFIG_HOME` is ignored.
    init?(in environment: [String: String]) {
        let base: FilePath
        if let configured = environment["XDG_CONFIG_HOME"], configured.hasPrefix("/") {
            base = FilePath(configured)
        } else if let home = environment["HOME"], !home.isEmpty {
            base = FilePath(home).appending(".config")
        } else {
            return nil
        }
        path = base.appending("odcs").appending("tokens.json")
    }

    /// Returns the token for a server, or `nil` if the file has none.
    ///
    /// - Throws: `CommandFailure` if the file cannot be used.
    func token(for server: ServerAddress) throws -> String? { try tokens()[server.description] }

    /// Keeps a token for a server, in place of an older one. `nil` removes it.
    func set(_ token: String?, for server: ServerAddress) throws {
        var tokens = try tokens()
        if token == nil, tokens[server.description] == nil { return }
        tokens[server.description] = token
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try write(encoder.encode(tokens))
        } catch let error as Errno {
            throw CommandFailure(.error, "the token cannot be kept in \(path): \(error)")
        } catch let error as CocoaError {
            throw CommandFailure(.error, "the token cannot be kept in \(path): \(error.localizedDescription)")
        }
    }

    private func tokens() throws -> [String: String] {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path, .readOnly)
        } catch Errno.noSuchFileOrDirectory {
            return [:]
        } catch {
            throw CommandFailure(.error, "\(path) cannot be read: \(error)")
        }
        return try file.closeAfter {
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else {
                throw CommandFailure(.error, "\(path) cannot be read: \(Errno(rawValue: errno))")
            }
            guard status.st_mode & 0o077 == 0 else {
                throw CommandFailure(.error, "others can read \(path), which has tokens. Run: chmod 600 \(path)")
            }
            let data = try FileHandle(fileDescriptor: file.rawValue, closeOnDealloc: false).readToEnd() ?? Data()
            do { return try JSONDecoder().decode([String: String].self, from: data) } catch {
                throw CommandFailure(.error, "\(path) is not a file of 'odcs login'. Remove it, and log in again.")
            }
        }
    }

    /// Writes the file beside its place and renames it, so that it is never half written.
    private func write(_ data: Data) throws {
        let directory = path.removingLastComponent()
        try FileManager.default.createDirectory(
            atPath: directory.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let temporary = directory.appending(".tokens-\(UInt64.random(in: 0 ... .max)).json")
        let file = try FileDescriptor.open(
            temporary, .writeOnly, options: [.create, .exclusiveCreate], permissions: [.ownerRead, .ownerWrite])
        do {
            try file.closeAfter {
                _ = try file.writeAll(data)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }
}
