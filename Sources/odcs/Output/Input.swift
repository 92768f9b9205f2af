import Foundation
import SystemPackage

/// The standard input of a command, for answers of a person or for text from a program.
struct Input: Sendable {
    /// Whether a person can be asked.
    let isTerminal: Bool
    /// Returns all text, up to a limit.
    let text: @Sendable () throws -> String
    /// Returns the line that a person types. A secret is not shown while it is typed. Nil: the person ended
    /// the input or interrupted the command.
    let line: @Sendable (_ isSecret: Bool) throws -> String?

    /// The most bytes that are read.
    private static let mostBytes = 1 << 20

    /// The input of this process.
    static let process = Input(
        isTerminal: isatty(STDIN_FILENO) == 1,
        text: {
            let data = try FileHandle.standardInput.read(upToCount: mostBytes) ?? Data()
            return String(decoding: data, as: UTF8.self)
        },
        line: { isSecret in isSecret ? try secret() : readLine() })

    /// Reads a line in a terminal that shows nothing of it. The terminal is restored in every case, so the
    /// keys that interrupt are read as characters meanwhile.
    private static func secret() throws -> String? {
        var normal = termios()
        guard tcgetattr(STDIN_FILENO, &normal) == 0 else { throw Errno(rawValue: errno) }
        var hidden = normal
        hidden.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else { throw Errno(rawValue: errno) }
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal) }
        var line = TypedLine()
        while true {
            var byte: UInt8 = 0
            let count = try withUnsafeMutableBytes(of: &byte) { try FileDescriptor.standardInput.read(into: $0) }
            switch line.take(count == 1 ? byte : nil) {
            case .more: continue
            case .done(let text): return text
            }
        }
    }
}

/// A *typed line* is a line that a person types in a terminal without its own editing.
struct TypedLine {
    enum Result: Equatable {
        case more
        /// The line is complete. Nil: the person ended the input or interrupted the command.
        case done(String?)
    }

    private var bytes: [UInt8] = []

    /// Takes a byte, or nil for the end of the input.
    mutating func take(_ byte: UInt8?) -> Result {
        let (interrupt, end, eraseAll, backspace, delete): (UInt8, UInt8, UInt8, UInt8, UInt8) = (0x03, 0x04, 0x15, 0x08, 0x7F)
        switch byte {
        case nil, interrupt: return .done(nil)
        case end where bytes.isEmpty: return .done(nil)
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), end: return .done(String(decoding: bytes, as: UTF8.self))
        case eraseAll: bytes = []
        case backspace, delete:
            // The bytes of one character, of which all but the first are 10xxxxxx.
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        case let byte?: bytes.append(byte)
        }
        return .more
    }
}
