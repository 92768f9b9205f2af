extension ModuleMetadata {
    /// Reads the documents of a repository's modules.yaml, and skips those that libmodulemd refuses.
    ///
    /// Each refused document becomes an element of ``unusable``. As in dnf, a document whose packages have
    /// no epoch is refused.
    public init(soundDocumentsOf yaml: String) {
        do {
            self = try ModuleMetadata(exactly: yaml)
            return
        } catch {
            self.init()
        }
        var sound: [Substring] = []
        for (place, document) in Self.documents(in: yaml).enumerated() {
            do {
                _ = try ModuleMetadata(exactly: String(document))
                sound.append(document)
            } catch {
                if unusable.count < UnusableModuleDocument.most {
                    unusable.append(UnusableModuleDocument(document, number: place + 1, error))
                }
            }
        }
        let refused = unusable
        do {
            self = try ModuleMetadata(exactly: sound.joined(separator: "\n"))
            unusable = refused
        } catch {
            // Each document is good alone, but together they are not.
            unusable.append(UnusableModuleDocument("", number: 1, error))
        }
    }

    /// Returns the same metadata, in which the unusable documents name their repository.
    ///
    /// - Parameter repository: The name of the repository in messages, for example "the repository
    ///   /srv/repo".
    public func of(_ repository: String) -> ModuleMetadata {
        if unusable.isEmpty { return self }
        var named = self
        for place in unusable.indices { named.unusable[place].repository = repository }
        return named
    }

    /// Splits a stream of YAML documents. Each document begins with its `---`. Documents without content
    /// are left out.
    private static func documents(in yaml: String) -> [Substring] {
        var starts = [yaml.startIndex]
        var rest = yaml.utf8[...]
        while !rest.isEmpty {
            if isMarker("---", rest) { starts.append(rest.startIndex) }
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { break }
            rest = rest[rest.index(after: end)...]
        }
        return zip(starts, starts.dropFirst() + [yaml.endIndex]).map { yaml[$0..<$1] }.filter { document in
            document.utf8.split(separator: UInt8(ascii: "\n")).contains { line in
                let text = isMarker("---", line) ? line.dropFirst(3) : line
                guard let first = text.first(where: { !" \t\r".utf8.contains($0) }) else { return false }
                return first != UInt8(ascii: "#") && line.first != UInt8(ascii: "%") && !isMarker("...", text)
            }
        }
    }

    /// Returns whether a line begins with `marker` (`---` or `...`), followed by white space or the end of
    /// the line.
    private static func isMarker(_ marker: StaticString, _ line: Substring.UTF8View) -> Bool {
        guard line.starts(with: UnsafeBufferPointer(start: marker.utf8Start, count: marker.utf8CodeUnitCount)) else { return false }
        return line.dropFirst(marker.utf8CodeUnitCount).first.map { " \t\r\n".utf8.contains($0) } ?? true
    }
}
