extension Dice {
    /// Makes one change of the packages of a repository.
    mutating func change(_ packages: inout [WorldPackage], _ revision: Int) throws {
        let place = roll(packages.count)
        switch roll(8) {
        case 0: packages.remove(at: place)
        case 1: packages.append(packages.remove(at: place))
        case 2: packages[place].files.append("/usr/bin/file\(revision)")
        // The package keeps its checksum.
        case 3: packages[place].dependencies["requires", default: []].append("p\(roll(40))")
        case 4: packages[place].dependencies["requires", default: []].append("/usr/bin/file\(roll(25))")
        // Only the complete file lists have these files.
        case 5: packages[place].files.append("/usr/share/file\(roll(10))")
        case 6: packages[place].dependencies["requires", default: []].append("/usr/share/file\(roll(10))")
        default: packages.insert(contentsOf: try WorldPackage.parse(world(count: 1, release: revision + 2)), at: place)
        }
    }
}
