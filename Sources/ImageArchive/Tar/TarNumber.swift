/// The number formats of tar headers. No input traps.
enum TarNumber {
    /// The reason why a field is not a number that can be used.
    enum Problem: Error {
        case malformed
        /// The number does not fit into 63 bits.
        case tooLarge
    }

    /// Returns the number in a header field.
    ///
    /// POSIX writes octal digits that end with a space or NUL. GNU tar writes larger and negative numbers
    /// as base 256: the first bit is set, and the rest of the field is a big-endian number in two's
    /// complement ("Basic Tar Format" of GNU tar's manual). An empty field is 0.
    static func parse(_ field: UnsafeRawBufferPointer) throws(Problem) -> Int {
        guard let first = field.first else { return 0 }
        return first & 0x80 == 0 ? try octal(field) : try base256(field)
    }

    private static func octal(_ field: UnsafeRawBufferPointer) throws(Problem) -> Int {
        var value = 0
        var hasEnded = false
        var hasBegun = false
        for byte in field {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                guard !hasEnded else { throw .malformed }
                hasBegun = true
                guard value >> 60 == 0 else { throw .tooLarge }
                value = value << 3 | Int(byte - UInt8(ascii: "0"))
            // Some programs write leading spaces.
            case UInt8(ascii: " "), 0: hasEnded = hasBegun || byte == 0
            default: throw .malformed
            }
        }
        return value
    }

    private static func base256(_ field: UnsafeRawBufferPointer) throws(Problem) -> Int {
        let isNegative = field[0] & 0x40 != 0
        var value = isNegative ? -1 : 0
        for (index, byte) in field.enumerated() {
            // The first bit only marks the format. The second bit is the sign.
            let digit = index == 0 ? byte & 0x3F | (isNegative ? 0xC0 : 0) : byte
            let (product, overflow) = value.multipliedReportingOverflow(by: 256)
            guard !overflow else { throw .tooLarge }
            value = product | Int(digit)
        }
        return value
    }

    /// Returns the number in a pax record: decimal digits, with a sign and a fraction if `allowsFraction`
    /// is set. The fraction is dropped.
    static func decimal(_ text: ArraySlice<UInt8>, allowsFraction: Bool) throws(Problem) -> Int {
        var digits = text
        if allowsFraction, let point = text.firstIndex(of: UInt8(ascii: ".")) {
            guard text[(point + 1)...].allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { throw .malformed }
            digits = text[..<point]
        }
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { throw .malformed }
        var value = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .malformed }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw .tooLarge }
            value = sum
        }
        return isNegative ? -value : value
    }

    /// Returns a number as a header field of `width` bytes: octal if it fits, otherwise base 256.
    static func field(_ number: Int, width: Int) -> [UInt8] {
        let digits = String(number, radix: 8)
        if number >= 0, digits.utf8.count < width {
            return Array(repeating: UInt8(ascii: "0"), count: width - 1 - digits.utf8.count) + Array(digits.utf8) + [0]
        }
        var bytes = [UInt8](repeating: number < 0 ? 0xFF : 0, count: width)
        for index in 0..<min(width, 8) { bytes[width - 1 - index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        bytes[0] |= 0x80
        return bytes
    }
}
