import ImageFetch
import ImageModel
import Synchronization

/// The progress of a fetch. On a terminal, one line is redrawn. Elsewhere, each layer gets a line.
final class FetchProgressLine: Sendable {
    private struct State {
        var layers = 0
        var bytes = 0
        var received = 0
        var packed = 0
    }

    private let name: String
    private let console: Console
    private let isQuiet: Bool
    private let state = Mutex(State())

    init(_ address: FetchAddress, console: Console, isQuiet: Bool) {
        name = ImageReference(address.repository, tag: address.tag).familiarName
        self.console = console
        self.isQuiet = isQuiet
    }

    /// A closed stream is no reason to end the fetch.
    func show(_ progress: FetchProgress) {
        let state = state.withLock { state in
            switch progress {
            case .resolved(_, let layers, let bytes): (state.layers, state.bytes) = (layers, bytes)
            case .received(let bytes): state.received += bytes
            case .packed(let layer): state.packed = layer
            }
            return state
        }
        guard !isQuiet else { return }
        let layers = "layer \(state.packed) of \(state.layers)"
        guard console.err.isTerminal else {
            if case .packed = progress { try? console.err.line("\(name): \(layers)") }
            return
        }
        let text = "\(name): \(ByteCount.text(state.received)) of \(ByteCount.text(state.bytes)), \(layers)"
        try? console.err.write("\r\(text.prefix(max(console.err.columns() - 1, 1)))\u{1B}[K")
    }

    /// Clears the line.
    func end() {
        if console.err.isTerminal, !isQuiet { try? console.err.write("\r\u{1B}[K") }
    }
}

/// A number of bytes as text for a person. Example: `65.4 MB`.
enum ByteCount {
    static func text(_ bytes: Int) -> String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1000 || unit == "GB" {
                return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1000
        }
        return "\(bytes) B"
    }
}
