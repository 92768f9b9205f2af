/// A *parent graph* says which images build on which others.
struct ParentGraph {
    /// The parents of each image that is in the graph.
    let parents: [Int: Set<Int>]
    /// The order of images that do not depend on each other.
    let order: [Int]

    /// Returns all images of the graph, each after its parents.
    ///
    /// - Throws: ``RebuildProblem`` if there is a circle.
    func parentsFirst(named name: (Int) -> String) throws(RebuildProblem) -> [Int] {
        let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
        func sorted(_ images: some Sequence<Int>) -> [Int] { images.sorted { (places[$0] ?? .max, $0) < (places[$1] ?? .max, $1) } }
        /// The number of parents that are not in the result yet.
        var missing = parents.mapValues(\.count)
        var children: [Int: [Int]] = [:]
        for (image, above) in parents { for parent in above { children[parent, default: []].append(image) } }
        var result: [Int] = []
        var level = sorted(parents.keys.filter { missing[$0] == 0 })
        while !level.isEmpty {
            result += level
            var next: [Int] = []
            for image in level {
                for child in children[image] ?? [] {
                    missing[child, default: 0] -= 1
                    if missing[child] == 0 { next.append(child) }
                }
            }
            level = sorted(next)
        }
        guard result.count < parents.count else { return result }
        let names = circle(sorted(parents.keys), without: Set(result)).map(name)
        throw RebuildProblem(
            "These images build on each other in a circle, so none of them can be built first: \(names.joined(separator: " → ")). "
                + "Change the FROM of one of them, or leave one out.")
    }

    /// Returns a circle, with its first image once more at the end. Every image that is left has a parent
    /// that is left, so a walk from parent to parent comes back to an image.
    private func circle(_ images: [Int], without done: Set<Int>) -> [Int] {
        guard var image = images.first(where: { !done.contains($0) }) else { return [] }
        var walk: [Int] = []
        while !walk.contains(image) {
            walk.append(image)
            guard let next = (parents[image] ?? []).filter({ !done.contains($0) }).min() else { return walk }
            image = next
        }
        return walk.drop { $0 != image } + [image]
    }
}
