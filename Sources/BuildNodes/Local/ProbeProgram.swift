import ImageModel

/// A *probe program* is the smallest program of a platform: it ends with the status 0, or waits. It is
/// an ELF file for Linux with one segment, which holds header and code.
struct ProbeProgram {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns nil if there is no program for the platform.
    init?(for platform: Platform) {
        guard platform.os == "linux" else { return nil }
        switch platform.architecture {
        case "amd64":
            // exit(0): xor edi, edi / push 60 / pop rax / syscall
            bytes = Self.file(machine: 62, alignment: 0x1000, code: [0x31, 0xFF, 0x6A, 0x3C, 0x58, 0x0F, 0x05])
        case "arm64":
            // exit(0): mov x0, #0 / mov x8, #93 / svc #0
            bytes = Self.file(
                machine: 183, alignment: 0x10000, code: [0x00, 0x00, 0x80, 0xD2, 0xA8, 0x0B, 0x80, 0xD2, 0x01, 0x00, 0x00, 0xD4])
        default: return nil
        }
    }

    /// Returns a program that waits until it is killed. Nil if the platform has none.
    static func waiting(for platform: Platform) -> ProbeProgram? {
        guard platform.os == "linux" else { return nil }
        switch platform.architecture {
        case "amd64":
            // pause(), again and again: push 34 / pop rax / syscall / jmp to the begin
            return ProbeProgram(file(machine: 62, alignment: 0x1000, code: [0x6A, 0x22, 0x58, 0x0F, 0x05, 0xEB, 0xF9]))
        case "arm64":
            // ppoll() of nothing, again and again: mov x0 to x4, #0 / mov x8, #73 / svc #0 / b to the begin
            let zeros: [UInt8] = (0..<5).flatMap { register -> [UInt8] in [register, 0x00, 0x80, 0xD2] }
            let call: [UInt8] = [0x28, 0x09, 0x80, 0xD2, 0x01, 0x00, 0x00, 0xD4, 0xF9, 0xFF, 0xFF, 0x17]
            return ProbeProgram(file(machine: 183, alignment: 0x10000, code: zeros + call))
        default: return nil
        }
    }

    /// - Parameter machine: The number of the architecture, `e_machine` in elf(5).
    private static func file(machine: UInt16, alignment: UInt64, code: [UInt8]) -> [UInt8] {
        let (header, segment): (UInt64, UInt64) = (64, 56)
        let base: UInt64 = 0x40_0000
        let size = header + segment + UInt64(code.count)
        var bytes: [UInt8] = [0x7F] + Array("ELF".utf8) + [2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        func add<Number: FixedWidthInteger>(_ numbers: Number...) {
            for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
        }
        // The header: an executable file, its entry, and the places of segments and sections.
        add(UInt16(2), machine)
        add(UInt32(1))
        add(base + header + segment, header, UInt64(0))
        add(UInt32(0))
        add(UInt16(header), UInt16(segment), 1, 0, 0, 0)
        // The segment: loaded, readable and executable, from offset 0 to `base`.
        add(UInt32(1), 5)
        add(UInt64(0), base, base, size, size, alignment)
        return bytes + code
    }
}
