import ForeignText

/// A template check reads the tags of a template before it is rendered. It finds mistakes that the
/// renderer would pass over: names without a value, templates that do not exist, and templates that
/// use each other in a circle.
///
/// It also bounds the size of the result. A few nested lists could fill the memory otherwise.
struct TemplateCheck {
    /// The names that have values, each with the greatest number of elements.
    let names: [String: Int]

    /// The maximum size of a rendered template in bytes.
    private static let mostBytes = 8 << 20
    private static let deepest = 30
    /// The most bytes of one value in a result.
    private static let valueBytes = 4096 * 4

    /// A *measure* says how large the result of a template can be.
    struct Measure {
        /// The most bytes of the result.
        var bytes = 0
        /// How often the blocks of the template are rendered together, at most.
        var blocks = 0
    }

    /// - Parameter measure: Returns the measure of another template.
    func measure(
        _ text: String, file: String, of measure: (_ template: String, _ line: Int) throws(InventoryProblem) -> Measure
    ) throws(InventoryProblem) -> Measure {
        let (tags, rest) = try TemplateTag.tags(in: text, file: file)
        var total = Measure()
        var open: [(tag: TemplateTag, factor: Int)] = []
        for tag in tags {
            let factor = open.last?.factor ?? 1
            total.bytes = Self.sum(total.bytes, Self.product(factor, tag.bytesBefore))
            switch tag.kind {
            case .comment: break
            case .value:
                try checkName(tag, file)
                total.bytes = Self.sum(total.bytes, Self.product(factor, Self.valueBytes))
            case .section, .inverted:
                try checkName(tag, file)
                open.append((tag, Self.product(factor, tag.kind == .section ? names[tag.name] ?? 1 : 1)))
            case .block:
                if open.last?.tag.kind != .parent { total.blocks = Self.sum(total.blocks, factor) }
                open.append((tag, factor))
            case .partial:
                let other = try measure(tag.name, tag.line)
                total.bytes = Self.sum(total.bytes, Self.product(factor, other.bytes))
                total.blocks = Self.sum(total.blocks, Self.product(factor, other.blocks))
            case .parent:
                let other = try measure(tag.name, tag.line)
                total.bytes = Self.sum(total.bytes, Self.product(factor, other.bytes))
                open.append((tag, Self.product(factor, max(1, other.blocks))))
            case .end:
                guard let section = open.popLast() else {
                    throw InventoryProblem(file: file, line: tag.line, "{{/\(tag.name)}} ends nothing")
                }
                guard section.tag.name == tag.name else {
                    throw InventoryProblem(
                        file: file, line: tag.line, "{{/\(tag.name)}} stands where \(section.tag.name) of line \(section.tag.line) must end"
                    )
                }
            }
            guard open.count <= Self.deepest else {
                throw InventoryProblem(file: file, line: tag.line, "more than \(Self.deepest) sections are in each other")
            }
            guard total.bytes <= Self.mostBytes else {
                throw InventoryProblem(file: file, line: tag.line, "the result could be larger than \(Self.mostBytes) bytes")
            }
        }
        if let section = open.last {
            throw InventoryProblem(file: file, line: section.tag.line, "the section \(section.tag.name) has no end")
        }
        total.bytes = Self.sum(total.bytes, rest)
        return total
    }

    private func checkName(_ tag: TemplateTag, _ file: String) throws(InventoryProblem) {
        guard tag.name != ".", names[tag.name] == nil else { return }
        let nearest = NearestNames(names: names.keys.sorted()).nearest(to: tag.name, within: min(4, tag.name.count / 2))
        throw InventoryProblem(
            file: file, line: tag.line, "there is no value \(tag.name)\(nearest.map { "; did you mean \($0)?" } ?? "")")
    }

    private static func sum(_ a: Int, _ b: Int) -> Int { a.addingReportingOverflow(b).overflow ? .max : a + b }

    private static func product(_ a: Int, _ b: Int) -> Int { a.multipliedReportingOverflow(by: b).overflow ? .max : a * b }
}
