extension StringProtocol {
    /// Whether both texts have the same bytes of UTF-8.
    ///
    /// `==` of strings brings combining marks into their canonical order first, which takes quadratic time on texts made for it.
    public func hasSameBytes(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether the text comes before `other` in the order of bytes of UTF-8, which is the order of code points.
    public func precedesInBytes(_ other: some StringProtocol) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
