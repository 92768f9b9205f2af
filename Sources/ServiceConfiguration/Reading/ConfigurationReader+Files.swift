import Foundation
public import SystemPackage

/// Files that a configuration names.
extension ConfigurationReader {
    public func checkReadable(_ file: FilePath?, _ key: String) throws {
        guard let file, !FileManager.default.isReadableFile(atPath: file.string) else { return }
        throw mistake(key, "names a file that does not exist or cannot be read")
    }

    public mutating func optionalPath(_ key: String) throws -> FilePath? {
        try optionalString(key) == nil ? nil : try path(key, default: "")
    }

    /// Returns the first line of a file.
    public func secret(in file: FilePath, _ key: String) throws -> String {
        do { return try Self.firstLine(of: file) } catch { throw mistake(key, "names a file that cannot be read, or is empty") }
    }

    /// Returns the first line of a file with a secret.
    public static func firstLine(of file: FilePath) throws -> String {
        guard let text = FileManager.default.contents(atPath: file.string).map({ String(decoding: $0, as: UTF8.self) }),
            let line = text.split(whereSeparator: \.isNewline).first
        else { throw ConfigurationError(file: file.string, line: nil, key: nil, message: "cannot be read, or is empty") }
        return String(line)
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII letter, a digit, `-` or `_`.
    public var isNameByte: Bool {
        (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z")) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
    }
}
