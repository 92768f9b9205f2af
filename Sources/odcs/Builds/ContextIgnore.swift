import ForeignText
import Foundation
import SystemPackage

/// A *context ignore* is the list of files that a build context leaves out: the file `.containerignore`
/// of the folder, or else `.dockerignore`.
///
/// Each line is a pattern for paths below the folder. `*` and `?` stand for characters of one name,
/// `**` for any number of folders. A folder is left out with all its files. A pattern with `!` at its
/// beginning takes files back in, and the last pattern that matches decides. The rules are those of
/// https://docs.docker.com/build/concepts/context/#dockerignore-files.
struct ContextIgnore {
    /// The names of the file, in the order of preference.
    static let fileNames = [".containerignore", ".dockerignore"]

    private struct Pattern {
        let path: PathPattern
        let takesIn: Bool
    }

    private let patterns: [Pattern]

    /// Whether a file below a folder that is left out can be in the context.
    var takesIn: Bool { patterns.contains(where: \.takesIn) }

    /// Reads the file of a folder. Without such a file, nothing is left out.
    ///
    /// - Throws: `CommandFailure` if the file cannot be read, or has a pattern with a mistake.
    init(of folder: FilePath) throws {
        for name in Self.fileNames {
            guard FileManager.default.fileExists(atPath: folder.appending(name).string) else { continue }
            // For the user it is one mistake, whether the bytes or the rights are the cause.
            guard let text = try? String(contentsOfFile: folder.appending(name).string, encoding: .utf8) else {
                throw CommandFailure(.error, "\(folder.appending(name)) cannot be read as text")
            }
            try self.init(text, named: folder.appending(name).string)
            return
        }
        try self.init("", named: "")
    }

    /// - Parameter name: The name of the file, for messages.
    init(_ text: String, named name: String) throws {
        patterns = try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            guard !line.hasPrefix("#") else { return nil }
            var pattern = line.trimmingCharacters(in: .whitespaces.union(.newlines))
            let takesIn = pattern.hasPrefix("!")
            if takesIn { pattern = pattern.dropFirst().trimmingCharacters(in: .whitespaces) }
            // The folder itself is always in the context.
            guard !pattern.isEmpty, pattern != "." else { return nil }
            guard let path = PathPattern(pattern) else {
                throw CommandFailure(.error, "\(name): line \(number + 1): \(pattern.quoted) is not a pattern")
            }
            return Pattern(path: path, takesIn: takesIn)
        }
    }

    /// - Parameter path: The path below the folder. Example: `src/main.c`.
    func leavesOut(_ path: String) -> Bool {
        guard !patterns.isEmpty else { return false }
        let bytes = Array(path.utf8)
        // The path itself, and each folder that it is in.
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") } + [bytes.count]
        let last = patterns.last { pattern in ends.contains { pattern.path.matches(bytes[..<$0]) } }
        return last.map { !$0.takesIn } ?? false
    }
}

/// A *path pattern* is a pattern for whole paths, as Go's `filepath.Match` has it, with `**` besides.
private struct PathPattern {
    private enum Part {
        case byte(UInt8)
        /// One character of a name.
        case character
        /// Any characters of a name.
        case name
        /// Any characters, with slashes.
        case path
        /// No folder, or any folders with the slash behind them.
        case folders
        case set([ClosedRange<UInt8>], isNegated: Bool)
    }

    private let parts: [Part]

    /// Returns `nil` if the text ends within a set or after a backslash.
    init?(_ text: String) {
        var bytes = Array(Self.cleaned(text).utf8)[...]
        var parts: [Part] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                guard bytes.first == UInt8(ascii: "*") else {
                    parts.append(.name)
                    continue
                }
                bytes = bytes.drop { $0 == UInt8(ascii: "*") }
                if bytes.first == UInt8(ascii: "/") {
                    bytes.removeFirst()
                    parts.append(.folders)
                } else {
                    parts.append(.path)
                }
            case UInt8(ascii: "?"): parts.append(.character)
            case UInt8(ascii: "["):
                guard let set = Self.set(&bytes) else { return nil }
                parts.append(set)
            case UInt8(ascii: "\\"):
                guard let escaped = bytes.popFirst() else { return nil }
                parts.append(.byte(escaped))
            default: parts.append(.byte(byte))
            }
        }
        self.parts = parts
    }

    /// Returns the path without a slash at its ends, and without `.` and `..` as names.
    private static func cleaned(_ text: String) -> String {
        var names: [Substring] = []
        for name in text.split(separator: "/") where name != "." {
            if name == "..", !names.isEmpty { names.removeLast() } else { names.append(name) }
        }
        return names.joined(separator: "/")
    }

    private static func set(_ bytes: inout ArraySlice<UInt8>) -> Part? {
        let isNegated = bytes.first == UInt8(ascii: "^")
        if isNegated { bytes.removeFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = bytes.first {
            if byte == UInt8(ascii: "]") {
                bytes.removeFirst()
                return ranges.isEmpty ? nil : .set(ranges, isNegated: isNegated)
            }
            guard let low = character(&bytes) else { return nil }
            var high = low
            if bytes.first == UInt8(ascii: "-") {
                bytes.removeFirst()
                guard let end = character(&bytes), end >= low else { return nil }
                high = end
            }
            ranges.append(low...high)
        }
        return nil
    }

    /// Takes one character of a set.
    private static func character(_ bytes: inout ArraySlice<UInt8>) -> UInt8? {
        guard let byte = bytes.popFirst(), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "-") else { return nil }
        return byte == UInt8(ascii: "\\") ? bytes.popFirst() : byte
    }

    func matches(_ path: ArraySlice<UInt8>) -> Bool { Self.matches(parts[...], path) }

    private static func matches(_ parts: ArraySlice<Part>, _ path: ArraySlice<UInt8>) -> Bool {
        var (parts, path) = (parts, path)
        while let part = parts.popFirst() {
            switch part {
            case .byte(let byte): guard path.popFirst() == byte else { return false }
            case .character:
                guard let byte = path.popFirst(), byte != UInt8(ascii: "/") else { return false }
                // The other bytes of the same character in UTF-8.
                path = path.drop { (0x80...0xBF).contains($0) }
            case .set(let ranges, let isNegated):
                guard let byte = path.popFirst(), byte != UInt8(ascii: "/"), ranges.contains(where: { $0.contains(byte) }) != isNegated
                else { return false }
            case .name:
                let end = path.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
                return (path.startIndex...end).contains { matches(parts, path[$0...]) }
            case .path: return (path.startIndex...path.endIndex).contains { matches(parts, path[$0...]) }
            case .folders:
                if matches(parts, path) { return true }
                return path.indices.contains { path[$0] == UInt8(ascii: "/") && matches(parts, path[($0 + 1)...]) }
            }
        }
        return path.isEmpty
    }
}
