import Glibc

/// The new elements of a changed document, one by one.
extension DocumentChanges {
    /// Returns for each new element, in the order of the document, its position among the new elements of
    /// an older revision. It is `nil` for an element that the older revision does not have with the same
    /// bytes.
    ///
    /// - Parameter older: The changes of the older revision since the same base. `nil` if that revision is
    ///   the base.
    package func newElements(alsoIn older: DocumentChanges?) -> [Int?] {
        let elements = newElements
        guard let older else { return elements.map { _ in nil } }
        let (bytes, olderBytes) = (newDocument, older.newDocument)
        defer { withExtendedLifetime((self, older)) {} }
        var positions: [PackageKey: (position: Int, range: Range<Int>)] = [:]
        for (position, element) in older.newElements.enumerated() { positions[element.key] = (position, element.range) }
        return elements.map { element in
            guard let found = positions[element.key], found.range.count == element.range.count,
                memcmp(olderBytes.baseAddress! + found.range.lowerBound, bytes.baseAddress! + element.range.lowerBound, found.range.count)
                    == 0
            else { return nil }
            return found.position
        }
    }

    /// Returns a document that has the beginning and the end of the changed document, and only some of the
    /// new elements.
    ///
    /// - Parameter positions: The positions of these elements among the new ones, in ascending order.
    package func newDocument(with positions: [Int]) -> [UInt8] {
        let (elements, bytes) = (newElements, newDocument)
        defer { withExtendedLifetime(self) {} }
        var document = Array(beginningOfDocument)
        for position in positions {
            document += bytes[elements[position].range]
            document.append(UInt8(ascii: "\n"))
        }
        return document + endOfDocument
    }
}
