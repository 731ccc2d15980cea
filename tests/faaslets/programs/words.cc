// words.cc - for tests: an unchanged program of C++ that does what words.rs
// does.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

int
main()
{
    std::map<std::string, unsigned> counts;
    std::string word;
    while (std::cin >> word)
        counts[word]++;
    if (counts.empty()) {
        std::cerr << "no words\n";
        return 3;
    }
    const char *limit = std::getenv("LIMIT");
    std::size_t left = limit ? std::strtoul(limit, nullptr, 10) : 3;
    std::vector<std::pair<std::string, unsigned>> words(counts.begin(),
                                                        counts.end());
    std::stable_sort(
        words.begin(), words.end(),
        [](const auto &a, const auto &b) { return a.second > b.second; });
    for (const auto &[text, count] : words) {
        if (left-- == 0)
            break;
        std::cout << count << ' ' << text << '\n';
    }
}
