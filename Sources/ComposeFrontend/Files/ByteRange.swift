/// A byte range is the single range that a Range header asks for (RFC 9110, 14.1.2). Examples:
/// `bytes=0-499`, `bytes=500-`, `bytes=-500`.
enum ByteRange: Hashable {
    case from(Int, through: Int?)
    case last(Int)

    /// Creates the range of a Range header. Returns `nil` if the header is anything but a single range of
    /// bytes. A server may ignore such a header, and this one does.
    init?(header: String) {
        let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        let ends = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { $0.trimming(while: { " \t".contains($0) }) }
        guard ends.count == 2, ends.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) }) else { return nil }
        let numbers = ends.map { $0.isEmpty ? nil : Int($0) ?? .max }
        switch (numbers[0], numbers[1]) {
        case (let first?, let last):
            guard last.map({ first <= $0 }) ?? true else { return nil }
            self = .from(first, through: last)
        case (nil, let count?): self = .last(count)
        case (nil, nil): return nil
        }
    }

    /// Returns the part of a file of `size` bytes that the range covers, or `nil` if it covers nothing.
    func clamped(to size: Int) -> Range<Int>? {
        switch self {
        case .from(let first, let last):
            first < size ? first..<min(last.map { $0 == .max ? .max : $0 + 1 } ?? size, size) : nil
        case .last(let count):
            count > 0 && size > 0 ? max(0, size - count)..<size : nil
        }
    }
}

extension Substring {
    fileprivate func trimming(while condition: (Character) -> Bool) -> Substring {
        var rest = drop(while: condition)
        while let last = rest.last, condition(last) { rest = rest.dropLast() }
        return rest
    }
}
