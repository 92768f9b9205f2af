import ForeignText
import Foundation
import Synchronization
import SystemPackage

/// An output tail receives the output of a program line by line. It passes the lines on, for example to
/// a log, and keeps the last ones for an explanation.
///
/// Directories and addresses that users must not see are replaced before a line is shown. Output beyond
/// the limit is not written.
public final class OutputTail: Sendable {
    /// The length of the longest line, in bytes. A longer line is broken.
    private static let longestLine = 16_384
    /// The number of lines that are kept.
    private static let keptLines = 40

    private struct State {
        var pending: [UInt8] = []
        var lines: [String] = []
        var bytes = 0
        var isFull = false
    }

    private let state = Mutex(State())
    private let hidden: [(text: String, by: String)]
    private let limit: Int
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - hidden: Texts that must not be shown, each with its replacement. They are replaced in the given
    ///     order. Put a text before the shorter texts that it contains.
    ///   - limit: The number of bytes that are written at most.
    ///   - write: Receives each line without its line break.
    public init(
        hiding hidden: [(text: String, by: String)] = [], limit: Int = 64 << 20, write: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.hidden = hidden.filter { !$0.text.isEmpty }
        self.limit = limit
        self.write = write
    }

    /// Receives the next bytes of the output.
    public func append(_ bytes: [UInt8]) {
        state.withLock { state in
            for byte in bytes {
                if byte == UInt8(ascii: "\n") || state.pending.count >= Self.longestLine { endLine(&state) }
                if byte != UInt8(ascii: "\n") { state.pending.append(byte) }
            }
        }
    }

    /// Processes a last line that has no line break.
    public func finish() {
        state.withLock { if !$0.pending.isEmpty { endLine(&$0) } }
    }

    /// Returns the last lines that are not blank, at most `count`.
    public func lastLines(_ count: Int = 10) -> [String] {
        state.withLock { Array($0.lines.suffix(count)) }
    }

    private func endLine(_ state: inout State) {
        let line = shown(String(decoding: state.pending, as: UTF8.self))
        state.pending.removeAll(keepingCapacity: true)
        if !line.allSatisfy(\.isWhitespace) {
            state.lines.append(String(line.prefix(500)))
            if state.lines.count > Self.keptLines { state.lines.removeFirst() }
        }
        guard !state.isFull else { return }
        state.bytes += line.utf8.count + 1
        if state.bytes > limit {
            state.isFull = true
            write("(It prints more than \(limit) bytes; the rest is left out.)")
        } else {
            write(line)
        }
    }

    private func shown(_ line: String) -> String {
        var line = line
        for (text, replacement) in hidden { line.replace(text, with: replacement) }
        return String(String.UnicodeScalarView(line.unicodeScalars.filter { !$0.isInvisible || $0 == "\t" }))
    }
}
