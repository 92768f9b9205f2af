extension StringProtocol {
    /// Returns the text without the given character at its end, however often it occurs there.
    func trimmingSuffix(_ character: Character) -> SubSequence {
        var rest = self[...]
        while rest.last == character { rest = rest.dropLast() }
        return rest
    }
}
