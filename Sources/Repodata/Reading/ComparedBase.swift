import Compression

/// A document of a base, prepared for comparisons with later revisions of it.
final class ComparedBase: Sendable {
    private let file: MappedFile
    private let table: IndexTable
    /// The positions of the elements in the order of the document, and the end of the last one. A line feed
    /// ends each element.
    let starts: [Int]
    /// The numbers of the elements in ``table``.
    private let numbers: [Int32]
    /// The positions of the entries of ``table`` in ``numbers``, or -1.
    private let positions: [Int32]

    /// - Returns: `nil` if the base has no elements, an element that is too long, or anything but a line
    ///   feed between them.
    init?(_ file: MappedFile, _ document: MetadataDocument, in table: IndexTable) {
        // Sorting one number for each element is several times as fast as sorting ranges.
        let bits = 24
        guard table.count < 1 << bits, file.bytes.count < 1 << (63 - bits) else { return nil }
        var found: [UInt64] = []
        found.reserveCapacity(table.count)
        for number in 0..<table.count {
            let range = table.range(at: number, of: document)
            if !range.isEmpty { found.append(UInt64(range.lowerBound) << UInt64(bits) | UInt64(number)) }
        }
        found.sort()
        var starts: [Int] = []
        starts.reserveCapacity(found.count + 1)
        var numbers: [Int32] = []
        numbers.reserveCapacity(found.count)
        var positions = [Int32](repeating: -1, count: table.count)
        for entry in found {
            let number = Int(entry & (1 << UInt64(bits) - 1))
            let range = table.range(at: number, of: document)
            guard range.lowerBound == starts.last ?? range.lowerBound, range.upperBound < file.bytes.count,
                file.bytes[range.upperBound] == UInt8(ascii: "\n"), range.count <= DocumentComparison.longestElement
            else { return nil }
            if starts.isEmpty { starts.append(range.lowerBound) }
            starts.append(range.upperBound + 1)
            positions[number] = Int32(numbers.count)
            numbers.append(Int32(number))
        }
        if numbers.isEmpty { return nil }
        self.file = file
        self.table = table
        self.starts = starts
        self.numbers = numbers
        self.positions = positions
    }

    /// The number of elements.
    var count: Int { numbers.count }

    var bytes: UnsafeRawBufferPointer { file.bytes }

    /// Returns the bytes of an element with the line feed after it.
    func line(_ number: Int) -> Range<Int> { starts[number]..<starts[number + 1] }

    func key(of number: Int) -> PackageKey { table.key(at: Int(numbers[number])) }

    func position(of key: PackageKey) -> Int? {
        guard let number = table.number(of: key), positions[number] >= 0 else { return nil }
        return Int(positions[number])
    }

    var beginning: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<starts[0]]) }
    var end: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[starts[count]...]) }
}
