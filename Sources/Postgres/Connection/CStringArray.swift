/// An array of strings in the layout of C: one buffer of NUL-terminated text, and a NULL-terminated
/// list of pointers into it.
struct CStringArray {
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []

    /// Lays out `strings`. A nil becomes a null pointer.
    init(_ strings: [String?]) {
        offsets.reserveCapacity(strings.count)
        for string in strings {
            offsets.append(string == nil ? nil : bytes.count)
            guard var string else { continue }
            string.withUTF8 { bytes.append(contentsOf: $0) }
            bytes.append(0)
        }
    }

    /// Calls `body` with the list of pointers, which are valid only during the call.
    func withPointers<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
        bytes.withUnsafeBytes { bytes in
            let text = bytes.assumingMemoryBound(to: CChar.self)
            let pointers: [UnsafePointer<CChar>?] = offsets.map { offset in offset.flatMap { text.baseAddress?.advanced(by: $0) } } + [nil]
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }
}
